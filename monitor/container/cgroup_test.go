package container

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

const (
	idA = "532c1d3b62840e1c1a113318928aa07a190be3bdc466fad87c593cf66e864c67"
	idB = "0b2c1d3b62840e1c1a113318928aa07a190be3bdc466fad87c593cf66e864caa"
	uid = "8f2b3c4d-1111-2222-3333-444455556666"
)

func TestParsePath(t *testing.T) {
	under := strings.ReplaceAll(uid, "-", "_")
	tests := []struct {
		path string
		want place
	}{
		{"", place{}},
		{"/", place{}},
		{"/init.scope", place{}},
		{"/payload", place{}},
		{"/docker/" + idA, place{id: idA, runtime: Docker, sure: true}},
		{"/system.slice/docker-" + idA + ".scope", place{id: idA, runtime: Docker, sure: true}},
		{"/default/" + idA, place{id: idA, sure: true}},
		{"/default/plain1", place{id: "plain1", name: "plain1"}},
		{"/system.slice/nerdctl-" + idA + ".scope", place{id: idA, runtime: Containerd, sure: true}},
		{"/kubepods/besteffort/pod" + uid + "/" + idA,
			place{id: idA, runtime: Containerd, podUID: uid, sure: true}},
		{"/kubelet/kubepods/pod" + uid + "/" + idA,
			place{id: idA, runtime: Containerd, podUID: uid, sure: true}},
		{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + under +
			".slice/cri-containerd-" + idA + ".scope",
			place{id: idA, runtime: Containerd, podUID: uid, sure: true}},
		{"/kubepods.slice/kubepods-pod" + under + ".slice/crio-" + idA + ".scope",
			place{id: idA, runtime: CRIO, podUID: uid, sure: true}},
		{"/kubepods/besteffort/pod" + uid + "/crio-" + idA,
			place{id: idA, runtime: CRIO, podUID: uid, sure: true}},
		{"/system.slice/containerd.service/kubepods-besteffort-pod" + under +
			".slice:cri-containerd:" + idA,
			place{id: idA, runtime: Containerd, podUID: uid, sure: true}},
		{"/libpod_parent/libpod-" + idA, place{id: idA, runtime: Podman, sure: true}},
		{"/machine.slice/libpod-" + idA + ".scope/container",
			place{id: idA, runtime: Podman, sure: true}},
		{"/machine.slice/libpod-conmon-" + idA + ".scope",
			place{id: "libpod-conmon-" + idA + ".scope", name: "libpod-conmon-" + idA}},
		{"/machine.slice/systemd-nspawn@web\\x2d1.service/payload",
			place{id: "web-1", name: "web-1", runtime: Nspawn, sure: true}},
		{"/machine.slice/machine-web.scope", place{id: "web", name: "web", runtime: Nspawn, sure: true}},
		{"/system.slice/systemd-udevd.service",
			place{id: "systemd-udevd.service", name: "systemd-udevd.service", runtime: Host}},
		{"/rtest", place{id: "rtest", name: "rtest"}},
		{"/../rtest", place{id: "rtest", name: "rtest"}},
		// A container that makes a cgroup named after another stays itself.
		{"/docker/" + idA + "/docker/" + idB, place{id: idA, runtime: Docker, sure: true}},
		{"/docker/" + idA + "/kubelet/kubepods/pod" + uid + "/" + idB,
			place{id: idA, runtime: Docker, sure: true}},
		{"/evil\x1b[31m\xff", place{id: "evil[31m", name: "evil[31m"}},
	}
	for _, tt := range tests {
		got := parsePath(tt.path)
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(place{})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.path, diff)
		}
	}
}

func TestParseProcCgroup(t *testing.T) {
	tests := []struct{ name, file, want string }{
		{"v2", "0::/docker/a\n", "/docker/a |"},
		{"hybrid", "4:memory:/x/a\n1:name=systemd:/a\n0::/\n", "/ /a | /x/a"},
		{"v1", "4:memory:/x/a\n1:name=systemd:/a\n", "/a | /x/a"},
		{"v1 without systemd", "4:memory:/x/a\n", "/x/a |"},
		{"colons in the path", "0::/a:b:c\n", "/a:b:c |"},
		{"deleted", "0::/a (deleted)\n", "/a |"},
		{"nonsense", "nonsense\n::\n", " |"},
	}
	for _, tt := range tests {
		paths, controllers := parseProcCgroup([]byte(tt.file))
		got := strings.Join(paths, " ") + " |"
		if len(controllers) > 0 {
			got += " " + strings.Join(controllers, " ")
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestPlaceIn: the recorder's own surroundings are no container's name.
func TestPlaceIn(t *testing.T) {
	tests := []struct{ name, file, want string }{
		{"nspawn", "4:memory:/ci/job\n1:name=systemd:/payload\n0::/payload\n", ""},
		{"crun on a hybrid machine", "4:memory:/ci/job/web\n1:name=systemd:/web\n0::/\n", "web"},
		{"only a controller", "4:memory:/docker/" + idA + "\n1:name=systemd:/\n0::/\n", idA},
		{"root", "4:memory:/\n0::/\n", ""},
	}
	for _, tt := range tests {
		if got := placeIn(parseProcCgroup([]byte(tt.file))).id; got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// FuzzParsePath: whatever the path, what comes out is fit to print, and an id
// that is called sure stays the same whatever is made below.
func FuzzParsePath(f *testing.F) {
	f.Add("/docker/" + idA)
	f.Add("/kubepods/pod" + uid + "/" + idA)
	f.Add("/machine.slice/systemd-nspawn@a\\x2db\\xff.service")
	f.Fuzz(func(t *testing.T, path string) {
		got := parsePath(path)
		for _, s := range []string{got.id, got.name, got.podUID} {
			if len(s) > maxName || !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\n\x1b") {
				t.Errorf("%q: unfit %q", path, s)
			}
		}
		if got.sure && parsePath(path+"/docker/"+idB) != got {
			t.Errorf("%q: changed by a cgroup below", path)
		}
		parseProcCgroup([]byte(path))
	})
}
