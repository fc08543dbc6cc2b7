package container

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Where runtimes keep state unless configured otherwise. A star stands for
// any one name. Sources: runc(8), crun(1), the defaults of containerd, Docker,
// k3s and containers-storage.conf(5).
func runcRoots() []string {
	return []string{
		"/run/runc", "/run/user/*/runc",
		"/run/containerd/runc/*", "/run/docker/runtime-runc/moby", "/run/k3s/containerd/runc/*",
	}
}

func crunRoots() []string { return []string{"/run/crun", "/run/user/*/crun"} }

// bundleRoots hold a bundle under the name of each container.
func bundleRoots() []string {
	return []string{
		"/run/containerd/io.containerd.runtime.v2.task/*",
		"/run/docker/containerd/daemon/io.containerd.runtime.v2.task/*",
		"/run/k3s/containerd/io.containerd.runtime.v2.task/*",
	}
}

// storageRoots hold the bundles of podman and CRI-O.
func storageRoots() []string {
	return []string{
		"/var/lib/containers/storage/overlay-containers",
		"/run/containers/storage/overlay-containers",
		"/var/lib/containers/storage/vfs-containers",
	}
}

// state is what runc's state.json and crun's status say of a container.
type state struct {
	id      string
	pid     int
	bundle  string
	cgroup  string // as the bundle's cgroupsPath or runc's own choice
	created time.Time
}

// parseRunc reads runc's state.json (libcontainer's State of runc 1.0 on).
func parseRunc(data []byte) (state, error) {
	var f struct {
		ID      string    `json:"id"`
		PID     int       `json:"init_process_pid"`
		Created time.Time `json:"created"`
		Config  struct {
			Labels  []string `json:"labels"` // "bundle=…" and the annotations
			Cgroups struct {
				Path string `json:"path"`
			} `json:"cgroups"`
		} `json:"config"`
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return state{}, fmt.Errorf("runc state: %w", err)
	}
	if f.ID == "" || f.PID <= 0 {
		return state{}, fmt.Errorf("runc state: no id or pid in it")
	}
	s := state{
		id: clean(f.ID, maxName), pid: f.PID,
		created: f.Created.UTC(), cgroup: f.Config.Cgroups.Path,
	}
	for _, label := range f.Config.Labels {
		if dir, ok := strings.CutPrefix(label, "bundle="); ok && filepath.IsAbs(dir) {
			s.bundle = filepath.Clean(dir)
		}
	}
	return s, nil
}

// parseCrun reads crun's status file (crun 1.0 on). It does not hold the id:
// that is the name of its folder.
func parseCrun(data []byte) (state, error) {
	var f struct {
		PID     int       `json:"pid"`
		Bundle  string    `json:"bundle"`
		Cgroup  string    `json:"cgroup-path"`
		Created time.Time `json:"created"`
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return state{}, fmt.Errorf("crun status: %w", err)
	}
	if f.PID <= 0 {
		return state{}, fmt.Errorf("crun status: no pid in it")
	}
	s := state{pid: f.PID, cgroup: f.Cgroup, created: f.Created.UTC()}
	if filepath.IsAbs(f.Bundle) {
		s.bundle = filepath.Clean(f.Bundle)
	}
	return s, nil
}

// findState looks for the state of a container that runc or crun made. It
// fills in the name, the first process and the bundle.
func (q *query) findState() {
	for _, root := range q.stateRoots() {
		if name := q.kept.id; name != "" && q.tryState(root, name) {
			return
		}
		if q.at.id != "" && q.tryState(root, q.at.id) {
			return
		}
	}
	if q.at.sure || !q.live {
		return // a runtime's own id: it is where its name says, or nowhere
	}
	for _, root := range q.stateRoots() {
		names := q.files.list(root.dir)
		if slices.ContainsFunc(names, func(name string) bool { return q.tryState(root, name) }) {
			return
		}
	}
}

// stateRoot is a directory with one folder a container.
type stateRoot struct {
	dir, runtime, file string
	parse              func([]byte) (state, error)
}

func (q *query) stateRoots() []stateRoot {
	runc, crun := runcRoots(), crunRoots()
	switch {
	case q.kept.stateRoot == "":
	case q.kept.oci == Crun:
		crun = append([]string{q.kept.stateRoot}, crun...)
	default:
		runc = append([]string{q.kept.stateRoot}, runc...)
	}
	var roots []stateRoot
	for _, dir := range q.files.glob(runc) {
		roots = append(roots, stateRoot{dir, Runc, "state.json", parseRunc})
	}
	for _, dir := range q.files.glob(crun) {
		roots = append(roots, stateRoot{dir, Crun, "status", parseCrun})
	}
	return roots
}

// tryState takes the state of that name if it is of the container in question.
func (q *query) tryState(root stateRoot, name string) bool {
	if !safe(name) {
		return false
	}
	data, err := q.files.read(filepath.Join(root.dir, name, root.file))
	if err != nil {
		return false
	}
	s, err := root.parse(data)
	if err != nil || !q.same(s) {
		return false
	}
	if !q.at.sure && q.kept.runtime == "" {
		q.kept.runtime = root.runtime
	}
	q.kept.oci, q.kept.init = root.runtime, s.pid
	q.c.PID, q.c.Started = s.pid, s.created
	// What a marked cgroup belongs to has its name from the runtime above.
	if q.kept.runtime == root.runtime && !q.at.sure {
		q.c.Name, q.named = clean(name, maxName), true
	}
	if s.bundle != "" {
		q.bundle = s.bundle
	}
	// Between create and start the container waits behind this pipe: its
	// network may not be there yet. Both runtimes name it so.
	if _, err := os.Lstat(filepath.Join(q.files.root, root.dir, name, "exec.fifo")); err == nil {
		q.pending = true
	}
	return true
}

// same tells whether the state is of the container the task is in.
func (q *query) same(s state) bool {
	if !q.live {
		return true // by name alone
	}
	ns := q.proc.namespace(q.sight.PID, "mnt")
	return q.sight.PID == s.pid || ns != 0 && ns == q.proc.namespace(s.pid, "mnt")
}

// bundles lists where the container's bundle may be, the surest first.
func (q *query) bundles() []string {
	var dirs []string
	if q.bundle != "" {
		dirs = append(dirs, q.bundle)
	}
	id := q.at.id
	if !safe(id) {
		return dirs
	}
	for _, root := range q.files.glob(bundleRoots()) {
		dirs = append(dirs, filepath.Join(root, id))
	}
	if !isID(id) {
		return dirs
	}
	for _, root := range storageRoots() {
		dirs = append(dirs, filepath.Join(root, id, "userdata"))
	}
	return dirs
}

// safe tells whether name may become one part of a path.
func safe(name string) bool {
	return name != "" && name != "." && name != ".." && len(name) <= maxName &&
		!strings.ContainsAny(name, "/\x00")
}
