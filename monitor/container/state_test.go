package container

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"advisor/trace"
)

const (
	runcState = `{"id":"web","init_process_pid":42,"init_process_start":7,
		"created":"2026-01-02T03:04:05Z","config":{"rootfs":"/b/rootfs",
		"labels":["a=b","bundle=/b"],"cgroups":{"path":"/web"}}}`
	crunStatus = `{"pid":43,"bundle":"/c","cgroup-path":"/web","created":"2026-01-02T03:04:05Z",
		"rootfs":"/c/rootfs","detached":true}`
	bundleSpec = `{"ociVersion":"1.0.2","hostname":"h",
		"process":{"args":["/bin/web","-x"],"noNewPrivileges":true,"user":{"uid":101,"gid":5},
			"capabilities":{"bounding":["CAP_SETUID","CAP_CHOWN","CAP_CHOWN"]}},
		"root":{"path":"/b/rootfs"},
		"mounts":[{"destination":"/etc/resolv.conf","source":"/d/containers/x/resolv.conf"}],
		"annotations":{"io.kubernetes.cri.sandbox-name":"web-0",
			"io.kubernetes.cri.sandbox-namespace":"shop","io.kubernetes.cri.sandbox-uid":"u-1",
			"io.kubernetes.cri.container-name":"web"},
		"linux":{"sysctl":{"net.ipv4.ip_unprivileged_port_start":"1024"},
			"seccomp":{"defaultAction":"SCMP_ACT_ALLOW"}}}`
)

func TestParseState(t *testing.T) {
	created := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := []struct {
		name, file string
		parse      func([]byte) (state, error)
		want       state
		fails      bool
	}{
		{"runc", runcState, parseRunc, state{"web", 42, "/b", "/web", created}, false},
		{"crun", crunStatus, parseCrun, state{"", 43, "/c", "/web", created}, false},
		{"runc's of crun", crunStatus, parseRunc, state{}, true},
		{"crun's of runc", runcState, parseCrun, state{}, true},
		{"cut", runcState[:50], parseRunc, state{}, true},
		{"a bundle that is no absolute path",
			`{"pid":1,"bundle":"../c"}`, parseCrun, state{pid: 1}, false},
		{"a pid below zero", `{"id":"x","init_process_pid":-1}`, parseRunc, state{}, true},
	}
	for _, tt := range tests {
		got, err := tt.parse([]byte(tt.file))
		if (err != nil) != tt.fails {
			t.Errorf("%s: %v", tt.name, err)
		}
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(state{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestParseSpec(t *testing.T) {
	s, err := parseSpec([]byte(bundleSpec))
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	want := &trace.Granted{
		Capabilities: []string{"CHOWN", "SETUID"}, CapabilitiesKnown: true,
		Seccomp:         profileDigest([]byte(`{"defaultAction":"SCMP_ACT_ALLOW"}`)),
		NoNewPrivileges: &yes, User: "101:5",
	}
	if diff := cmp.Diff(want, s.granted()); diff != "" {
		t.Errorf("granted (-want +got):\n%s", diff)
	}
	if got := s.portStart(); got == nil || *got != 1024 {
		t.Errorf("port start %v", got)
	}
	if got := s.mount("/etc/resolv.conf"); got != "/d/containers/x/resolv.conf" {
		t.Errorf("resolv.conf from %q", got)
	}
	pod := &trace.Pod{Namespace: "shop", Name: "web-0", UID: "u-1", Container: "web"}
	if diff := cmp.Diff(pod, podOf(s.Annotations)); diff != "" {
		t.Errorf("pod (-want +got):\n%s", diff)
	}
	for _, bad := range []string{"", "{}", "[]", bundleSpec[:100]} {
		if s, err := parseSpec([]byte(bad)); err == nil || s != nil {
			t.Errorf("%.20q is taken for a spec", bad)
		}
	}
}

func TestProfileDigest(t *testing.T) {
	a := profileDigest([]byte(`{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":1}`))
	b := profileDigest([]byte("{\n\t\"defaultErrnoRet\": 1, \"defaultAction\": \"SCMP_ACT_ERRNO\"}"))
	c := profileDigest([]byte(`{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38}`))
	if a != b || a == c || len(a) != len("sha256:")+64 {
		t.Errorf("digests %q, %q and %q", a, b, c)
	}
	for _, none := range []string{"", "null"} {
		if got := profileDigest([]byte(none)); got != "unconfined" {
			t.Errorf("no profile: %q", got)
		}
	}
}

func TestPodmanIsNotCRIO(t *testing.T) {
	annotations := map[string]string{
		"io.container.manager":              "libpod",
		"io.kubernetes.cri-o.Namespace":     "x",
		"io.kubernetes.pod.name":            "y",
		"io.kubernetes.cri-o.SandboxID":     idA,
		"io.kubernetes.cri-o.ContainerType": "sandbox",
	}
	if pod := podOf(annotations); pod != nil {
		t.Errorf("a podman container has become the pod %+v", pod)
	}
}

func TestParseResolv(t *testing.T) {
	tests := []struct {
		name, file string
		want       *trace.Resolv
	}{
		{"none", "# nothing\noptions ndots:5\n", nil},
		{"usual", "nameserver 10.96.0.10\nsearch a.svc b\nnameserver ::ffff:10.0.0.1\n",
			&trace.Resolv{Nameservers: []string{"10.96.0.10", "10.0.0.1"}, Search: []string{"a.svc", "b"}}},
		{"the last search wins", "search a\ndomain b\n", &trace.Resolv{Search: []string{"b"}}},
		{"not an address", "nameserver ;rm\nnameserver 1.1.1.1",
			&trace.Resolv{Nameservers: []string{"1.1.1.1"}}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, parseResolv([]byte(tt.file))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// FuzzState: state files give a value or an error, never both or neither, and
// nothing that could lead a path astray.
func FuzzState(f *testing.F) {
	for _, seed := range []string{runcState, crunStatus, bundleSpec, inspectJSON, "{}", ""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, parse := range []func([]byte) (state, error){parseRunc, parseCrun} {
			s, err := parse(data)
			if err != nil && s != (state{}) {
				t.Errorf("error and value: %+v, %v", s, err)
			}
			if err == nil && (s.pid <= 0 || len(s.id) > maxName || s.bundle != "" && s.bundle[0] != '/') {
				t.Errorf("accepted %+v", s)
			}
		}
		if s, err := parseSpec(data); (s == nil) == (err == nil) {
			t.Errorf("spec %+v, error %v", s, err)
		} else if err == nil {
			s.granted()
			s.portStart()
			podOf(s.Annotations)
		}
		if in, err := parseInspect(data, idA); (in == nil) == (err == nil) {
			t.Errorf("description %+v, error %v", in, err)
		}
		parseResolv(data)
		parseStatus(data, capabilities)
		parseUnix(data, "docker.sock")
	})
}
