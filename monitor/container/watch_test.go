package container

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	containers "github.com/containerd/containerd/api/services/containers/v1"
	events "github.com/containerd/containerd/api/services/events/v1"
	"github.com/containerd/containerd/api/types"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"

	"advisor/fixtures/bed"
	"advisor/trace"
)

// watched has r listen until the test ends.
func watched(t *testing.T, r *Resolver) *Resolver {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Watch(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return r
}

// located waits until r knows the name of a container that is gone.
func located(t *testing.T, r *Resolver, id string) trace.Container {
	t.Helper()
	for range 1500 {
		if c, complete := r.Resolve(Sight{Cgroup: id, MountNS: 7}); c.Name != "" {
			if !complete {
				t.Error("what is known of a container that is gone is all there will be")
			}
			return c
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%.12s is not known", id)
	return trace.Container{}
}

// TestRemoved: containers that removed themselves before anybody asked are known
// by the list that was there and by what the events told.
func TestRemoved(t *testing.T) {
	asked := make(chan struct{}, 100)
	r := watched(t, serve(t, func(w http.ResponseWriter, q *http.Request) {
		switch {
		case q.URL.Path == "/events" && strings.Contains(q.URL.RawQuery, "create"):
			fmt.Fprintf(w, `{"Type":"container","Action":"create","Actor":{"ID":%q,"Attributes":`+
				`{"name":"brief","image":"shop/brief:1","tier":"front"}}}`+"\nnonsense\n", idA)
			w.(http.Flusher).Flush()
			<-q.Context().Done()
		case q.URL.Path == "/containers/json":
			fmt.Fprintf(w, `[{"Id":%q,"Names":["/older"],"Image":"shop/older:1"}]`, idB)
		default:
			asked <- struct{}{}
			http.NotFound(w, q)
		}
	}))
	got := located(t, r, idA)
	want := trace.Container{
		ID: idA, Name: "brief", Image: "shop/brief:1", Runtime: Docker,
		Labels: map[string]string{"tier": "front"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := located(t, r, idB); got.Name != "older" || got.Image != "shop/older:1" {
		t.Errorf("got %+v", got)
	}
	if got := r.Locate(Sight{Cgroup: idA, MountNS: 7}); got.Name != "brief" {
		t.Errorf("without asking: %+v", got)
	}
}

// TestStorage follows podman's list of containers, which is replaced as a whole.
func TestStorage(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "/var/lib/containers/storage/overlay-containers")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r := watched(t, New(Options{Root: root, Proc: t.TempDir()}))
	list := fmt.Sprintf(`[{"id":%q,"names":["a"],"metadata":"{\"image-name\":\"web:1\",\"name\":\"web\"}"},`+
		`{"id":%q,"names":["k8s_web_web-0"],"metadata":"{}"}]`, idA, idB)
	for range 5 { // whenever the recorder begins to look
		fresh := filepath.Join(dir, "containers.json.tmp")
		if err := os.WriteFile(fresh, []byte(list), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(fresh, filepath.Join(dir, storageFile)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	got := located(t, r, idA)
	if got.Name != "web" || got.Image != "web:1" {
		t.Errorf("got %+v", got)
	}
	if got := r.Locate(Sight{Cgroup: idB}); got.Name != "" {
		t.Errorf("CRI-O's own name is taken for podman's: %+v", got)
	}
}

// containerdServer tells of a pod's sandbox, a container in it and one of nobody,
// and describes each as containerd does.
type containerdServer struct {
	events.UnimplementedEventsServer
	containers.UnimplementedContainersServer
}

func (containerdServer) Subscribe(q *events.SubscribeRequest, s events.Events_SubscribeServer) error {
	if len(q.GetFilters()) != 1 || q.GetFilters()[0] != `topic=="/containers/create"` {
		return status.Error(codes.InvalidArgument, "filters")
	}
	for _, c := range [][2]string{{"k8s.io", "sandbox"}, {"k8s.io", "web"}, {"default", "short"}} {
		err := s.Send(&types.Envelope{Namespace: c[0], Topic: "/containers/create",
			Event: &anypb.Any{TypeUrl: "containerd.events.ContainerCreate", Value: createdMessage(c[1])}})
		if err != nil {
			return err
		}
	}
	<-s.Context().Done()
	return nil
}

func (containerdServer) Get(ctx context.Context, q *containers.GetContainerRequest) (*containers.GetContainerResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	pod := map[string]string{
		"io.kubernetes.pod.name": "web-0", "io.kubernetes.pod.namespace": "shop", "io.kubernetes.pod.uid": "u-1",
	}
	switch {
	case q.GetID() == "short" && cmp.Equal(md.Get("containerd-namespace"), []string{"default"}):
		return &containers.GetContainerResponse{Container: &containers.Container{
			ID: "short", Image: "docker.io/library/short:1", Labels: map[string]string{"tier": "back"},
		}}, nil
	case !cmp.Equal(md.Get("containerd-namespace"), []string{"k8s.io"}):
		return nil, status.Error(codes.NotFound, "not found")
	case q.GetID() == "sandbox":
		pod["app"], pod["io.cri-containerd.kind"] = "web", "sandbox"
	default:
		pod["io.kubernetes.container.name"], pod["io.cri-containerd.kind"] = "server", "container"
	}
	return &containers.GetContainerResponse{Container: &containers.Container{ID: q.GetID(), Labels: pod}}, nil
}

// createdMessage is a ContainerCreate with an image before its id.
func createdMessage(id string) []byte {
	return append([]byte{2<<3 | 2, 3, 'i', 'm', 'g', 1<<3 | 2, byte(len(id))}, id...)
}

func TestContainerdEvents(t *testing.T) {
	bed.Require(t)
	path := filepath.Join(t.TempDir(), "containerd.sock")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	events.RegisterEventsServer(server, containerdServer{})
	containers.RegisterContainersServer(server, containerdServer{})
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	r := watched(t, New(Options{Proc: t.TempDir(), Sockets: []string{path}, Timeout: 5 * time.Second}))
	for range 1500 {
		if _, ok := r.memory.get("short"); ok {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	got := r.Locate(Sight{Cgroup: "short", CgroupPath: "/default/short"})
	want := trace.Container{ID: "short", Name: "short", Runtime: Containerd,
		Image: "docker.io/library/short:1", Labels: map[string]string{"tier": "back"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	// The pod's labels are its sandbox's.
	got = r.Locate(Sight{Cgroup: "web", CgroupPath: "/k8s.io/web"})
	pod := &trace.Pod{Namespace: "shop", Name: "web-0", UID: "u-1", Container: "server", Labels: map[string]string{"app": "web"}}
	if diff := cmp.Diff(pod, got.Pod); diff != "" {
		t.Errorf("pod (-want +got)\n%s", diff)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	m := newMemory()
	for i := range maxRemembered + 10 {
		m.put(fmt.Sprint(i), told{name: "x"})
		m.putPod(fmt.Sprint(i), map[string]string{"a": "b"})
	}
	m.put("17", told{image: "y"})
	if len(m.pods) != maxRemembered || len(m.podOrder) != maxRemembered || m.pods["9"] != nil {
		t.Errorf("labels of %d pods, %d in order", len(m.pods), len(m.podOrder))
	}
	if _, ok := m.get("9"); ok || len(m.known) != maxRemembered || len(m.order) != maxRemembered {
		t.Errorf("%d known, %d in order", len(m.known), len(m.order))
	}
	if got, ok := m.get("17"); !ok || got.name != "x" || got.image != "y" {
		t.Errorf("what an event leaves out is gone: %+v", got)
	}
}

func FuzzParseEvent(f *testing.F) {
	f.Add([]byte(`{"Type":"container","Action":"create","Actor":{"ID":"` + idA + `","Attributes":{"name":"x"}}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		l, ok := parseEvent(line)
		if ok && (!isID(l.id) || l.name == "") {
			t.Errorf("%q gives %+v", line, l)
		}
		known := l.told(Docker)
		if len(known.name) > maxName || len(known.labels) > maxLabels {
			t.Errorf("%d bytes of name, %d labels", len(known.name), len(known.labels))
		}
		for _, l := range parseList(line) {
			if !isID(l.id) {
				t.Errorf("%q lists %q", line, l.id)
			}
		}
	})
}

func FuzzCreatedID(f *testing.F) {
	f.Add(createdMessage("short"))
	f.Fuzz(func(t *testing.T, message []byte) {
		if id := createdID(message); len(id) > maxName {
			t.Errorf("an id of %d bytes", len(id))
		}
	})
}
