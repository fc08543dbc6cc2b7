package container

import (
	"bytes"
	"cmp"
	"strconv"
	"strings"
)

// place is what a cgroup path says.
type place struct {
	id      string // the runtime's id, or its name for the container
	runtime string // "" where the path does not tell
	name    string // where the path holds the name itself
	podUID  string // of Kubernetes
	sure    bool   // a pattern of a runtime was recognised
}

// better tells whether p says more than other.
func (p place) better(other place) bool {
	if p.sure != other.sure {
		return p.sure
	}
	return other.id == "" && p.id != ""
}

// marked recognises a cgroup name made of a runtime's mark and an id. Sources:
// names seen under each runtime with the cgroupfs and systemd drivers.
func marked(bare string) (place, bool) {
	mark, id, ok := cutLast(bare, "-")
	if !ok || !isID(id) {
		return place{}, false
	}
	switch mark {
	case "docker":
		return place{id: id, runtime: Docker}, true
	case "cri-containerd", "nerdctl":
		return place{id: id, runtime: Containerd}, true
	case "crio":
		return place{id: id, runtime: CRIO}, true
	case "libpod":
		return place{id: id, runtime: Podman}, true
	}
	return place{}, false // conmon's own, among others
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// parsePath reads one cgroup path, outermost component first: the container
// the host's runtime made wins over whatever was made inside it.
func parsePath(path string) place {
	var pod, parent string
	parts := strings.Split(path, "/")
	for _, part := range parts {
		if part == "" || part == ".." {
			continue
		}
		if uid, ok := podUID(part); ok {
			pod = uid
		}
		if at, ok := parsePart(part, parent, pod); ok {
			at.podUID, at.sure = cmp.Or(at.podUID, pod), true
			return at
		}
		parent = part
	}
	return plain(parent)
}

// parsePart recognises the cgroup of one container.
func parsePart(part, parent, pod string) (place, bool) {
	// Without systemd, runc takes the systemd form "slice:prefix:id" as a name.
	if f := strings.Split(part, ":"); len(f) == 3 && isID(f[2]) {
		at, _ := marked(f[1] + "-" + f[2])
		at.id = f[2]
		at.podUID, _ = podUID(f[0])
		return at, true
	}
	if name, ok := machine(part); ok {
		return place{id: name, name: name, runtime: Nspawn}, true
	}
	bare := strings.TrimSuffix(part, ".scope")
	if at, ok := marked(bare); ok {
		return at, true
	}
	if !isID(bare) {
		return place{}, false
	}
	switch {
	case parent == "docker":
		return place{id: bare, runtime: Docker}, true
	case pod != "":
		return place{id: bare, runtime: Containerd}, true
	}
	return place{id: bare}, true
}

// plain is a name that no runtime marks: runc and crun take any.
func plain(leaf string) place {
	switch {
	case leaf == "", leaf == "payload", leaf == "supervisor", leaf == "init.scope":
		return place{}
	case strings.HasSuffix(leaf, ".service"), strings.HasSuffix(leaf, ".slice"):
		return place{id: clean(leaf, maxName), name: clean(leaf, maxName), runtime: Host}
	}
	return place{id: clean(leaf, maxName), name: clean(strings.TrimSuffix(leaf, ".scope"), maxName)}
}

// machine takes the name out of systemd-nspawn's unit names.
func machine(part string) (string, bool) {
	name, ok := strings.CutPrefix(part, "systemd-nspawn@")
	if ok {
		name, ok = strings.CutSuffix(name, ".service")
	} else if name, ok = strings.CutPrefix(part, "machine-"); ok {
		name, ok = strings.CutSuffix(name, ".scope")
		// libvirt's virtual machines are scopes of the same form.
		ok = ok && !strings.HasPrefix(name, "qemu") && !strings.HasPrefix(name, "lxc")
	}
	name = clean(unescape(name), maxName)
	return name, ok && name != ""
}

// podUID takes the pod's uid out of a folder or slice of the kubelet. In
// systemd names dashes of the uid are written as underscores.
func podUID(part string) (string, bool) {
	part = strings.TrimSuffix(part, ".slice")
	if strings.HasPrefix(part, "kubepods") {
		at := strings.Index(part, "-pod")
		if at < 0 {
			return "", false
		}
		part = part[at+1:]
	}
	uid, ok := strings.CutPrefix(part, "pod")
	if !ok || len(uid) < 32 || len(uid) > 64 {
		return "", false
	}
	uid = strings.ReplaceAll(uid, "_", "-")
	if strings.Trim(uid, "0123456789abcdef-") != "" {
		return "", false
	}
	return uid, true
}

// isID tells whether s is the 64 hexadecimal digits that runtimes use.
func isID(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// unescape undoes systemd's \xNN in unit names.
func unescape(s string) string {
	for i := 0; i+4 <= len(s); i++ {
		if s[i] != '\\' || s[i+1] != 'x' {
			continue
		}
		b, err := strconv.ParseUint(s[i+2:i+4], 16, 8)
		if err == nil {
			s = s[:i] + string([]byte{byte(b)}) + s[i+4:]
		}
	}
	return s
}

// parseProcCgroup returns the paths of a /proc/PID/cgroup, the most telling
// first: cgroup2, systemd's own hierarchy, the other controllers. In some of
// the others a container may not have a cgroup of its own but be in the one
// of whoever started it, so where there is anything better they are only good
// for what a runtime has marked.
func parseProcCgroup(data []byte) (paths, controllers []string) {
	var systemd []string
	for line := range bytes.Lines(data) {
		f := strings.SplitN(strings.TrimSuffix(string(line), "\n"), ":", 3)
		if len(f) != 3 || len(f[2]) > maxPath {
			continue
		}
		path := strings.TrimSuffix(f[2], " (deleted)")
		switch f[1] {
		case "":
			paths = append(paths, path)
		case "name=systemd":
			systemd = append(systemd, path)
		default:
			controllers = append(controllers, path)
		}
	}
	if paths = append(paths, systemd...); len(paths) == 0 {
		return controllers, nil
	}
	return paths, controllers
}

// placeIn reads all cgroups of a task.
func placeIn(paths, controllers []string) place {
	var best place
	for _, path := range paths {
		if at := parsePath(path); at.better(best) {
			best = at
		}
	}
	for _, path := range controllers {
		if at := parsePath(path); at.sure && at.better(best) {
			best = at
		}
	}
	return best
}
