package container

import (
	"path/filepath"
	"slices"
	"strings"
)

// maxAncestors bounds every walk up the process tree.
const maxAncestors = 64

// keeper is the host process that keeps a container: a containerd shim,
// conmon, or runc and crun themselves in the foreground.
type keeper struct {
	runtime   string // "" where the keeper serves several
	oci       string // runc or crun, where the keeper is that or names it
	namespace string // containerd's
	id        string // as given to it
	bundle    string // absolute
	stateRoot string // --root of runc or crun
	name      string // as given to conmon
	init      int    // pid of the container's first process
}

// keeper walks up from the task to the process that keeps the container.
func (q *query) keeper() {
	if !q.live {
		return
	}
	host := q.proc.own("mnt")
	child := q.proc.initOf(q.sight.PID)
	for pid := q.proc.parent(child); pid > 1; pid = q.proc.parent(pid) {
		if q.proc.namespace(pid, "mnt") != host {
			return // still inside some container: its word counts for nothing
		}
		if k, ok := parseKeeper(q.proc.args(pid), q.proc.cwd(pid)); ok {
			k.init = child
			q.accept(k)
			return
		}
	}
}

// accept takes the keeper's word where it does not contradict the cgroup.
func (q *query) accept(k keeper) {
	if isID(q.c.ID) && isID(k.id) && k.id != q.c.ID {
		return
	}
	q.kept = k
	q.bundle = k.bundle
}

// parseKeeper reads a command line. The working directory of a containerd
// shim is the bundle.
func parseKeeper(args []string, cwd string) (keeper, bool) {
	if len(args) == 0 {
		return keeper{}, false
	}
	switch base := filepath.Base(args[0]); {
	case strings.HasPrefix(base, "containerd-shim"):
		return shim(args, cwd)
	case base == "conmon":
		return conmon(args)
	case base == "systemd-nspawn":
		return nspawn(args)
	case base == Runc || base == Crun:
		return foreground(base, args, cwd)
	}
	return keeper{}, false
}

func shim(args []string, cwd string) (keeper, bool) {
	k := keeper{namespace: clean(option(args, "namespace"), maxName), id: option(args, "id")}
	if k.runtime = Containerd; k.namespace == dockerNamespace {
		k.runtime = Docker
	}
	// A shim of several containers (a pod's) stands in one of their bundles.
	if filepath.Base(cwd) == k.id {
		k.bundle = cwd
	}
	return k, k.id != ""
}

func conmon(args []string) (keeper, bool) {
	k := keeper{
		id:     option(args, "c", "cid"),
		name:   clean(option(args, "n", "name"), maxName),
		bundle: option(args, "b", "bundle"),
		oci:    filepath.Base(option(args, "r", "runtime")),
	}
	if k.runtime = Podman; strings.Contains(strings.Join(args, " "), "/crio/") {
		k.runtime = CRIO
	}
	return k, k.id != ""
}

// nspawn names a machine after its option, else after its directory or image,
// as systemd-nspawn(1) does.
func nspawn(args []string) (keeper, bool) {
	name := option(args, "M", "machine")
	for _, from := range []string{"D", "directory", "i", "image"} {
		if name == "" {
			name = strings.TrimSuffix(filepath.Base(option(args, from)), ".raw")
		}
	}
	return keeper{runtime: Nspawn, name: clean(name, maxName)}, true
}

func foreground(runtime string, args []string, cwd string) (keeper, bool) {
	k := keeper{
		runtime:   runtime,
		oci:       runtime,
		id:        clean(args[len(args)-1], maxName),
		bundle:    option(args, "b", "bundle"),
		stateRoot: option(args, "root"),
	}
	if !filepath.IsAbs(k.bundle) {
		k.bundle = filepath.Join(cwd, k.bundle)
	}
	return k, true
}

// option returns the value of a flag in any of its spellings: -name value,
// --name value, -name=value, --name=value.
func option(args []string, names ...string) string {
	for i, arg := range args {
		flag, value, joined := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if !strings.HasPrefix(arg, "-") || !slices.Contains(names, flag) {
			continue
		}
		if joined {
			return value
		}
		if i+1 < len(args) {
			return args[i+1]
		}
	}
	return ""
}
