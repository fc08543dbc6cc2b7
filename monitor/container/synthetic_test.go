package container

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"advisor/trace"
)

// host is a machine made of files: a /proc with processes and a disk.
type host struct {
	t    testing.TB
	root string
}

func newHost(t testing.TB) host {
	h := host{t, t.TempDir()}
	h.process(1, 0, "init", "0::/init.scope", "host")
	return h
}

func (h host) resolver() *Resolver {
	return New(Options{Root: h.root, Proc: filepath.Join(h.root, "proc")})
}

func (h host) write(path, text string) {
	h.t.Helper()
	path = filepath.Join(h.root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

// process adds a process. Processes with the same space share all namespaces:
// their links lead to one file, so they have one inode.
func (h host) process(pid, parent int, args, cgroup, space string) {
	h.t.Helper()
	dir := filepath.Join("proc", strconv.Itoa(pid))
	h.write(filepath.Join(dir, "stat"),
		fmt.Sprintf("%d (x) S %d %s", pid, parent, strings.Repeat("1 ", 40)))
	h.write(filepath.Join(dir, "cmdline"), strings.ReplaceAll(args, " ", "\x00")+"\x00")
	h.write(filepath.Join(dir, "comm"), "x\n")
	h.write(filepath.Join(dir, "cgroup"), cgroup+"\n")
	for _, kind := range []string{"mnt", "pid", "net"} {
		h.write(filepath.Join("spaces", space, kind), "")
		link := filepath.Join(h.root, dir, "ns", kind)
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			h.t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(h.root, "spaces", space, kind), link); err != nil {
			h.t.Fatal(err)
		}
	}
}

// cwd sets the working directory of a process.
func (h host) cwd(pid int, dir string) {
	h.t.Helper()
	if err := os.Symlink(dir, filepath.Join(h.root, "proc", strconv.Itoa(pid), "cwd")); err != nil {
		h.t.Fatal(err)
	}
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestCRIOByItsFiles(t *testing.T) {
	h := newHost(t)
	bundle := "/run/containers/storage/overlay-containers/" + idA + "/userdata"
	h.process(20, 1, "/usr/bin/conmon -b "+bundle+" -c "+idA+" -n k8s_web -r /usr/bin/crun",
		"0::/x", "host")
	h.process(21, 20, "web", "0::/kubepods.slice/kubepods-pod"+strings.ReplaceAll(uid, "-", "_")+
		".slice/crio-"+idA+".scope", "web")
	h.write(bundle+"/config.json", marshal(t, map[string]any{
		"process": map[string]any{"args": []string{"/web"}, "user": map[string]int{"uid": 7}},
		"root":    map[string]string{"path": "/r"},
		"annotations": map[string]string{
			"io.kubernetes.cri-o.SandboxID": idB, "io.kubernetes.cri-o.Namespace": "shop",
			"io.kubernetes.cri-o.ImageName":   "registry/web:1",
			"io.kubernetes.cri-o.Labels":      `{"app":"web","io.kubernetes.pod.uid":"` + uid + `"}`,
			"io.kubernetes.pod.name":          "web-0",
			"io.kubernetes.container.name":    "web",
			"io.kubernetes.cri-o.IP.0":        "10.1.2.3",
			"io.kubernetes.cri-o.ContainerID": idA,
		},
	}))
	got, complete := h.resolver().Resolve(Sight{PID: 21, Cgroup: "crio-" + idA + ".scope"})
	no := false
	want := trace.Container{
		ID: idA, Runtime: CRIO, Name: "web", Image: "registry/web:1", Command: "/web", PID: 21,
		Labels: map[string]string{"app": "web", "io.kubernetes.pod.uid": uid},
		IPs:    []string{"10.1.2.3"},
		Pod: &trace.Pod{Namespace: "shop", Name: "web-0", UID: uid, Container: "web",
			Labels: map[string]string{"app": "web"}},
		Granted: &trace.Granted{
			CapabilitiesKnown: true, Seccomp: "unconfined", User: "7:0", NoNewPrivileges: &no,
		},
	}
	got.OCI = "" // asked of this machine's own crun
	if diff := cmp.Diff(want, got); diff != "" || !complete {
		t.Errorf("complete %v (-want +got):\n%s", complete, diff)
	}
}

// dockerHost runs a container of Docker with a worker in a cgroup below.
func dockerHost(h host) {
	bundle := "/run/x/io.containerd.runtime.v2.task/moby/" + idA
	h.process(20, 1, "/usr/bin/containerd-shim-runc-v2 -namespace moby -id "+idA, "0::/x", "host")
	h.cwd(20, bundle)
	h.process(21, 20, "web", "0::/docker/"+idA, "web")
	h.process(22, 21, "worker", "0::/docker/"+idA+"/sub", "web")
	h.write(bundle+"/config.json",
		strings.ReplaceAll(bundleSpec, "containers/x/", "containers/"+idA+"/"))
	h.write("/d/containers/"+idA+"/config.v2.json", strings.Replace(inspectJSON, `"Id"`, `"ID"`, 1))
	h.write("/d/containers/"+idA+"/hostconfig.json", `{"Privileged":true,"Runtime":"runc"}`)
	h.write("/d/containers/"+idA+"/resolv.conf", "nameserver 10.0.0.53\n")
}

func TestDockerByItsFiles(t *testing.T) {
	h := newHost(t)
	dockerHost(h)
	got, complete := h.resolver().Resolve(Sight{PID: 22, Cgroup: "sub"})
	if got.ID != idA || got.Runtime != Docker || got.PID != 21 ||
		got.Image != "shop/web:1" || !complete {
		t.Errorf("complete %v: %+v", complete, got)
	}
	if !got.Granted.Privileged || got.Resolv == nil || got.Resolv.Nameservers[0] != "10.0.0.53" {
		t.Errorf("granted %+v, resolv.conf %+v", got.Granted, got.Resolv)
	}
}

// TestForgedKeeper: a process inside a container says it keeps it, and one of
// the host says it keeps another than the cgroup tells.
func TestForgedKeeper(t *testing.T) {
	h := newHost(t)
	for _, tt := range []struct {
		name   string
		pid    int
		claims string
		space  string
	}{
		{"from inside", 20, idA, "evil"},
		{"another container", 30, idB, "host"},
	} {
		bundle := "/evil/" + tt.claims
		h.write(bundle+"/config.json", bundleSpec)
		h.process(tt.pid, 1, "containerd-shim -namespace moby -id "+tt.claims,
			"0::/docker/"+idA, tt.space)
		h.cwd(tt.pid, bundle)
		h.process(tt.pid+1, tt.pid, "x", "0::/docker/"+idA, "nested")
		got, _ := h.resolver().Resolve(Sight{PID: tt.pid + 1, Cgroup: idA})
		if got.ID != idA || got.Granted != nil {
			t.Errorf("%s: believed: %+v", tt.name, got)
		}
	}
}

// TestReusedPID: another process got the number of the one that was seen.
func TestReusedPID(t *testing.T) {
	h := newHost(t)
	h.process(21, 1, "x", "0::/docker/"+idB, "other")
	got, complete := h.resolver().Resolve(Sight{PID: 21, Cgroup: idA, MountNS: 5})
	if got.ID != idA || got.Granted != nil || complete {
		t.Errorf("complete %v: %+v", complete, got)
	}
}

// TestHostService: a unit with a mount namespace of its own is no container.
func TestHostService(t *testing.T) {
	h := newHost(t)
	h.process(21, 1, "/lib/systemd/systemd-udevd", "0::/system.slice/systemd-udevd.service", "udev")
	got, complete := h.resolver().Resolve(Sight{PID: 21, Cgroup: "systemd-udevd.service"})
	if got.Runtime != Host || got.Name != "systemd-udevd.service" || !complete {
		t.Errorf("complete %v: %+v", complete, got)
	}
}

// TestPathsOutside: a name never becomes a way out of a runtime's folder.
func TestPathsOutside(t *testing.T) {
	h := newHost(t)
	if err := os.MkdirAll(filepath.Join(h.root, "run/runc"), 0o755); err != nil {
		t.Fatal(err)
	}
	h.write("/run/secret/state.json", strings.Replace(runcState, ":42", ":21", 1))
	h.process(20, 1, "runc run ../secret", "0::/x", "host")
	h.process(21, 20, "x", "0::/y", "y")
	got, _ := h.resolver().Resolve(Sight{PID: 21, Cgroup: "y"})
	if !got.Started.IsZero() || got.Name == "../secret" {
		t.Errorf("read: %+v", got)
	}
}

// BenchmarkResolve names a Docker container from its files, as each new one of
// a machine is once.
func BenchmarkResolve(b *testing.B) {
	h := newHost(b)
	dockerHost(h)
	r := h.resolver()
	for b.Loop() {
		if c, complete := r.Resolve(Sight{PID: 22, Cgroup: "sub"}); !complete || c.Image == "" {
			b.Fatalf("%+v", c)
		}
	}
}
