package container

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"advisor/fixtures/bed"
)

const inspectJSON = `{"Id":"` + idA + `","Name":"/web\u001b[2J","State":{"Running":true,"Pid":0,
	"StartedAt":"2026-01-02T03:04:05Z"},"Config":{"Image":"shop/web:1","Labels":{"a":"b"}},
	"HostConfig":{"Privileged":true,"Runtime":"runc"},
	"NetworkSettings":{"Networks":{
		"n":{"IPAddress":"172.17.0.2","GlobalIPv6Address":"fd00::2"},"m":{"IPAddress":"x"}}}}`

// serve answers on a socket of Docker's name and returns the resolver for it.
func serve(t *testing.T, answer http.HandlerFunc) *Resolver {
	t.Helper()
	bed.Require(t) // only sockets of root are believed
	path := filepath.Join(t.TempDir(), "docker.sock")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: answer}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return New(Options{Proc: t.TempDir(), Sockets: []string{path}, Timeout: 50 * time.Millisecond})
}

func TestSocketAnswers(t *testing.T) {
	r := serve(t, func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path != "/containers/"+idA+"/json" {
			http.NotFound(w, q)
			return
		}
		w.Write([]byte(inspectJSON))
	})
	got, complete := r.Resolve(Sight{Cgroup: idA, MountNS: 7})
	if !complete {
		t.Error("incomplete")
	}
	if got.ID != idA || got.Name != "web[2J" || got.Runtime != Docker || got.Image != "shop/web:1" {
		t.Errorf("got %+v", got)
	}
	if diff := cmp.Diff([]string{"172.17.0.2", "fd00::2"}, got.IPs); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
	other, complete := r.Resolve(Sight{Cgroup: idB, MountNS: 8})
	if complete || other.ID != idB || other.Name != "" {
		t.Errorf("unknown to the runtime: %+v, complete %v", other, complete)
	}
}

// TestSocketHangs: one question is put, and no more for a while.
func TestSocketHangs(t *testing.T) {
	var asked atomic.Int32
	release := make(chan struct{})
	r := serve(t, func(http.ResponseWriter, *http.Request) {
		asked.Add(1)
		<-release
	})
	defer close(release)
	for range 20 {
		if got, complete := r.Resolve(Sight{Cgroup: idA, MountNS: 7}); complete || got.ID != idA {
			t.Errorf("got %+v, complete %v", got, complete)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestSocketOfAnother(t *testing.T) {
	r := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(inspectJSON)) })
	if err := os.Chown(r.sockets.extra[0], 12345, 12345); err != nil {
		t.Fatal(err)
	}
	if got, _ := r.Resolve(Sight{Cgroup: idA, MountNS: 7}); got.Name != "" {
		t.Errorf("believed a socket of another user: %+v", got)
	}
}

// TestReadRegular: what is not a plain file is neither waited for nor followed.
func TestReadRegular(t *testing.T) {
	dir := t.TempDir()
	files := files{root: dir}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "plain"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("plain", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "long"), make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"pipe", "link", "long", "absent", "."} {
		if data, err := files.read("/" + bad); err == nil || data != nil {
			t.Errorf("%s: read", bad)
		}
	}
	if data, err := files.read("/plain"); err != nil || string(data) != "x" {
		t.Errorf("plain: %q, %v", data, err)
	}
}

func TestReadInRoot(t *testing.T) {
	dir := t.TempDir()
	q := &query{Resolver: New(Options{})}
	if served(q.proc.mountinfo(), dir) {
		bed.Skip(t, "the temporary directory is on a served filesystem")
	}
	for path, text := range map[string]string{
		"outside": "secret", "root/plain": "x", "root/d/plain": "y",
	} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	root := filepath.Join(dir, "root")
	for link, to := range map[string]string{
		"up": "../outside", "abs": dir + "/outside", "e": "d", "in": "plain",
	} {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, bad := range []string{"up", "abs", "../outside", "e/plain", "in", "absent", "d"} {
		if data, err := q.readInRoot(root, bad); err == nil {
			t.Errorf("%s: read %q", bad, data)
		}
	}
	for path, want := range map[string]string{"plain": "x", "d/plain": "y"} {
		if data, err := q.readInRoot(root, path); err != nil || string(data) != want {
			t.Errorf("%s: %q, %v", path, data, err)
		}
	}
}

func TestServed(t *testing.T) {
	const mounts = `1 0 8:1 / / rw - ext4 /dev/x rw
2 1 0:1 / /srv rw shared:1 - fuse.sshfs x rw
3 1 0:2 / /srv/disk rw - ext4 /dev/y rw
4 1 0:3 / /net rw - nfs4 z rw
`
	for path, want := range map[string]bool{
		"/a": false, "/srv": true, "/srv/a/b": true, "/srv/disk/a": false, "/srvx": false, "/net/a": true,
	} {
		if got := served([]byte(mounts), path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
	if !served(nil, "/a") {
		t.Error("an unknown mount is trusted")
	}
}
