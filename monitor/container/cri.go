package container

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"advisor/trace"
)

// askCRI asks the sockets of containerd and CRI-O for the container and its
// pod. Pod labels are nowhere else: the bundle does not hold them.
func (q *query) askCRI() {
	if q.named || q.at.podUID == "" && q.c.Pod == nil && q.containerdNamespace() != criNamespace {
		return // nothing of Kubernetes, or CRI-O's annotations have said everything
	}
	for _, path := range q.sockets.cri() {
		err := q.sockets.rpc(path, q.criContainer)
		switch {
		case err == nil:
			q.named = true
			return
		case !errors.Is(err, errUnknown):
			q.pending = true
		}
	}
	// The bundle has named the pod, and nobody is there to ask for its labels.
	q.named = q.c.Pod != nil && q.c.Pod.Name != ""
}

// rpc connects to a gRPC socket for one question. A server that does not have
// the service knows nothing: it is no failure.
func (s *sockets) rpc(path string, ask func(context.Context, *grpc.ClientConn) error) error {
	if s.resting(path) {
		return fmt.Errorf("%s: %w", path, errResting)
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	conn, err := dialRPC(path)
	if err != nil {
		return fmt.Errorf("ask %s: %w", path, err)
	}
	defer conn.Close()
	err = ask(ctx, conn)
	switch status.Code(err) {
	case codes.OK:
		return nil
	case codes.NotFound, codes.Unimplemented:
		return errUnknown
	}
	s.fail(path)
	return fmt.Errorf("ask %s: %w", path, err)
}

func dialRPC(path string) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///runtime",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}))
}

// criContainer asks for the container; for a sandbox's own (pause) there is
// none of that id, but a sandbox.
func (q *query) criContainer(ctx context.Context, conn *grpc.ClientConn) error {
	client := cri.NewRuntimeServiceClient(conn)
	answer, err := client.ContainerStatus(ctx,
		&cri.ContainerStatusRequest{ContainerId: q.at.id, Verbose: true})
	if status.Code(err) == codes.NotFound {
		return q.criSandbox(ctx, client, q.at.id)
	}
	if err != nil {
		return err
	}
	info := parseInfo(answer.GetInfo()["info"])
	q.useStatus(answer.GetStatus(), info)
	return q.criSandbox(ctx, client, info.SandboxID)
}

// criInfo is what containerd and CRI-O put into a verbose status.
type criInfo struct {
	SandboxID  string
	PID        int
	Privileged bool            // CRI-O
	Spec       json.RawMessage `json:"runtimeSpec"`
	Config     struct {
		Linux struct {
			SecurityContext struct {
				Privileged bool
			} `json:"security_context"`
		}
	}
}

// parseInfo reads it; what is not there stays empty.
func parseInfo(text string) criInfo {
	var info criInfo
	if err := json.Unmarshal([]byte(text), &info); err != nil {
		return criInfo{}
	}
	return info
}

func (q *query) useStatus(st *cri.ContainerStatus, info criInfo) {
	q.c.Name = clean(st.GetMetadata().GetName(), maxName)
	q.c.Image = clean(cmp.Or(st.GetImage().GetImage(), st.GetImageRef()), maxValue)
	q.c.Labels = cleanLabels(st.GetLabels())
	if q.c.Runtime == "" {
		q.c.Runtime = Containerd
	}
	if info.PID > 0 {
		q.c.PID = info.PID
	}
	if at := st.GetStartedAt(); at > 0 {
		q.c.Started = time.Unix(0, at).UTC()
	}
	if q.spec == nil {
		if s, err := parseSpec(info.Spec); err == nil {
			q.spec = s
			q.useSpec()
		}
	}
	if q.c.Granted != nil {
		q.c.Granted.Privileged = info.Privileged || info.Config.Linux.SecurityContext.Privileged
	}
	if q.live && st.GetState() == cri.ContainerState_CONTAINER_CREATED {
		q.pending = true
	}
}

func (q *query) criSandbox(ctx context.Context, client cri.RuntimeServiceClient, id string) error {
	if id == "" {
		return status.Error(codes.NotFound, "no sandbox named")
	}
	answer, err := client.PodSandboxStatus(ctx, &cri.PodSandboxStatusRequest{PodSandboxId: id})
	if err != nil {
		return err
	}
	q.useSandbox(answer.GetStatus())
	return nil
}

func (q *query) useSandbox(st *cri.PodSandboxStatus) {
	meta := st.GetMetadata()
	pod := &trace.Pod{
		Namespace: clean(meta.GetNamespace(), maxName),
		Name:      clean(meta.GetName(), maxName),
		UID:       clean(cmp.Or(meta.GetUid(), q.at.podUID), maxName),
		Labels:    podLabels(cleanLabels(st.GetLabels())),
		HostNetwork: st.GetLinux().GetNamespaces().GetOptions().GetNetwork() ==
			cri.NamespaceMode_NODE,
	}
	if st.GetId() != q.at.id {
		pod.Container = q.c.Name
	}
	q.memory.putPod(pod.UID, pod.Labels)
	q.c.Pod, q.c.IPs = pod, nil
	q.addIPs([]string{st.GetNetwork().GetIp()})
	for _, ip := range st.GetNetwork().GetAdditionalIps() {
		q.addIPs([]string{ip.GetIp()})
	}
}
