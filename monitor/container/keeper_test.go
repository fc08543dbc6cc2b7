package container

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseKeeper(t *testing.T) {
	tests := []struct {
		args, cwd string
		want      keeper
		ok        bool
	}{
		{"/usr/bin/containerd-shim-runc-v2 -namespace moby -id " + idA + " -address /x.sock",
			"/s/moby/" + idA,
			keeper{runtime: Docker, namespace: "moby", id: idA, bundle: "/s/moby/" + idA}, true},
		// The shim of a pod stands in the bundle of its first container.
		{"containerd-shim-runc-v2 -namespace k8s.io -id " + idA, "/s/k8s.io/" + idB,
			keeper{runtime: Containerd, namespace: "k8s.io", id: idA}, true},
		{"/usr/bin/conmon --api-version 1 -c " + idA + " -u " + idA +
			" -r /usr/bin/crun -b /st/userdata -n web", "/",
			keeper{runtime: Podman, oci: "crun", id: idA, name: "web", bundle: "/st/userdata"}, true},
		{"/usr/libexec/crio/conmon -b /st/userdata -c " + idA + " -n k8s_web -r /usr/bin/runc", "/",
			keeper{runtime: CRIO, oci: "runc", id: idA, name: "k8s_web", bundle: "/st/userdata"}, true},
		{"runc --root /r run --bundle b web", "/home",
			keeper{runtime: Runc, oci: Runc, id: "web", bundle: "/home/b", stateRoot: "/r"}, true},
		{"crun run --bundle=/b web", "/",
			keeper{runtime: Crun, oci: Crun, id: "web", bundle: "/b"}, true},
		{"runc run web", "/b", keeper{runtime: Runc, oci: Runc, id: "web", bundle: "/b"}, true},
		{"systemd-nspawn -q --machine=web -D /x", "/", keeper{runtime: Nspawn, name: "web"}, true},
		{"systemd-nspawn -D /var/lib/machines/web", "/", keeper{runtime: Nspawn, name: "web"}, true},
		{"containerd-shim-runc-v2 -namespace", "/", keeper{}, false},
		{"conmon", "/", keeper{}, false},
		{"bash", "/", keeper{}, false},
		{"", "/", keeper{}, false},
	}
	for _, tt := range tests {
		got, ok := parseKeeper(strings.Fields(tt.args), tt.cwd)
		if ok != tt.ok {
			t.Errorf("%q: %v", tt.args, ok)
		}
		if !ok {
			continue
		}
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(keeper{})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.args, diff)
		}
	}
}

func TestStatField(t *testing.T) {
	const stat = "42 (a) b ) 9) S 1 42 42 0 -1 4194560 716 0 0 0 0 0 0 0 20 0 1 0 115247 2322432\n"
	if got := statField([]byte(stat), 4); got != "1" {
		t.Errorf("parent %q", got)
	}
	if got := statField([]byte(stat), 22); got != "115247" {
		t.Errorf("start %q", got)
	}
	if got := statField([]byte("42 (a"), 4); got != "" {
		t.Errorf("cut: %q", got)
	}
}

func TestParseUnix(t *testing.T) {
	const table = `Num       RefCount Protocol Flags    Type St Inode Path
00000000: 00000002 00000000 00010000 0001 01 22839 /run/docker.sock
00000000: 00000003 00000000 00000000 0001 03 22840 /x/docker.sock
00000000: 00000002 00000000 00010000 0001 01 22841 @/docker.sock
00000000: 00000002 00000000 00010000 0001 01 22842 docker.sock
00000000: 00000002 00000000 00010000 0001 01 22843 /y/../z/docker.sock
00000000: 00000002 00000000 00010000 0001 01 22844 /run/notdocker.sock
00000000: 00000002 00000000 00010000 0001 01 22845
`
	want := []string{"/run/docker.sock", "/z/docker.sock"}
	if diff := cmp.Diff(want, parseUnix([]byte(table), "docker.sock")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
