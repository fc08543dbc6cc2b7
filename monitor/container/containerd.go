package container

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"

	containers "github.com/containerd/containerd/api/services/containers/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// askContainerd asks for a container of ctr or nerdctl: in a namespace of
// containerd's that the CRI does not see.
func (q *query) askContainerd() {
	namespace := q.containerdNamespace()
	if namespace == "" || namespace == criNamespace || namespace == dockerNamespace {
		return
	}
	for _, path := range q.sockets.cri() {
		err := q.sockets.rpc(path, func(ctx context.Context, conn *grpc.ClientConn) error {
			ctx = metadata.AppendToOutgoingContext(ctx, "containerd-namespace", namespace)
			answer, err := containers.NewContainersClient(conn).Get(ctx,
				&containers.GetContainerRequest{ID: q.containerdID()})
			if err == nil {
				q.useContainerd(answer.GetContainer())
			}
			return err
		})
		if err == nil {
			return
		}
		if !errors.Is(err, errUnknown) {
			q.pending = true
		}
	}
}

// Namespaces of containerd that others than ctr and nerdctl use.
const (
	criNamespace    = "k8s.io"
	dockerNamespace = "moby"
)

// containerdNamespace is told by the shim, or by where the bundle is.
func (q *query) containerdNamespace() string {
	if q.kept.namespace != "" {
		return q.kept.namespace
	}
	if q.spec != nil && filepath.Base(q.bundle) == q.at.id {
		return filepath.Base(filepath.Dir(q.bundle))
	}
	return ""
}

func (q *query) containerdID() string { return cmp.Or(q.kept.id, q.at.id) }

func (q *query) useContainerd(c *containers.Container) {
	q.named = true
	q.c.Runtime = Containerd
	q.c.Labels = cleanLabels(c.GetLabels())
	q.c.Image = clean(c.GetImage(), maxValue)
	q.c.Name = clean(cmp.Or(c.GetLabels()["nerdctl/name"], c.GetID()), maxName)
}
