package container

import (
	"cmp"
	"context"

	containers "github.com/containerd/containerd/api/services/containers/v1"
	events "github.com/containerd/containerd/api/services/events/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protowire"

	"advisor/trace"
)

// criKind is the label by which containerd's CRI plugin tells a pod's sandbox, which
// has the pod's labels, from its containers.
const criKind = "io.cri-containerd.kind"

// containerd listens to the containers that containerd makes, and asks for each
// at once: the event has the image, not the labels. Another server of the CRI
// does not know the service, and the call ends.
func (w *watch) containerd(ctx context.Context, path string) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conn, err := dialRPC(path)
	if err != nil {
		return
	}
	defer conn.Close()
	stream, err := events.NewEventsClient(conn).Subscribe(ctx,
		&events.SubscribeRequest{Filters: []string{`topic=="/containers/create"`}})
	for err == nil {
		e, failed := stream.Recv()
		if failed != nil {
			return
		}
		if id := createdID(e.GetEvent().GetValue()); id != "" && e.GetNamespace() != dockerNamespace {
			w.created(ctx, conn, e.GetNamespace(), id)
		}
	}
}

// created remembers a container that was just made.
func (w *watch) created(ctx context.Context, conn *grpc.ClientConn, namespace, id string) {
	ctx, cancel := context.WithTimeout(ctx, w.sockets.timeout)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "containerd-namespace", namespace)
	answer, err := containers.NewContainersClient(conn).Get(ctx, &containers.GetContainerRequest{ID: id})
	if err != nil {
		return
	}
	labels, image := answer.GetContainer().GetLabels(), answer.GetContainer().GetImage()
	t := told{
		runtime: Containerd, image: clean(image, maxValue), labels: cleanLabels(labels),
		name: clean(cmp.Or(labels["io.kubernetes.container.name"], labels["nerdctl/name"], id), maxName),
	}
	if name := labels["io.kubernetes.pod.name"]; name != "" {
		t.pod = &trace.Pod{
			Namespace: clean(labels["io.kubernetes.pod.namespace"], maxName), Name: clean(name, maxName),
			UID:       clean(labels["io.kubernetes.pod.uid"], maxName),
			Container: clean(labels["io.kubernetes.container.name"], maxName),
		}
	}
	if t.pod != nil && labels[criKind] == "sandbox" {
		w.memory.putPod(t.pod.UID, podLabels(t.labels))
	}
	w.memory.put(id, t)
}

// createdID reads the first field of a containerd.events.ContainerCreate
// (containerd api/events/container.proto).
func createdID(message []byte) string {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return ""
		}
		message = message[n:]
		if number == 1 && kind == protowire.BytesType {
			id, _ := protowire.ConsumeString(message)
			return clean(id, maxName)
		}
		if n = protowire.ConsumeFieldValue(number, kind, message); n < 0 {
			return ""
		}
		message = message[n:]
	}
	return ""
}
