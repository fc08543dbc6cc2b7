// Package container says which container a task belongs to: its id, name,
// image, labels, addresses and what its runtime granted it.
//
// A [Sight] is what the recorder saw: a task in a mount namespace of its own.
// [Resolver.Resolve] turns it into a [trace.Container] from three sources, the
// cheapest first:
//
//  1. the cgroup path, which carries the id under most runtimes;
//  2. the runtime's state on disk, found through the process that keeps the
//     container (a shim, conmon or runc itself) and in the usual places;
//  3. the runtime's socket.
//
// Rules it keeps:
//
//   - Everything that comes from a container is hostile: names are cut to a
//     length and to printable UTF-8, files are read up to a size, and only
//     regular ones. No path from inside a container is followed.
//   - The outermost container wins: a container cannot take another's identity
//     by making cgroups of its own, and nested ones count as part of it.
//   - A keeper process is believed only in the host's mount namespace.
//   - A runtime that does not answer costs one timeout, then nothing until it
//     is asked again; the answer is incomplete meanwhile.
package container

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"advisor/trace"
)

// Values of [trace.Container.Runtime].
const (
	Docker     = "docker"
	Containerd = "containerd"
	CRIO       = "cri-o"
	Podman     = "podman"
	Runc       = "runc"
	Crun       = "crun"
	Nspawn     = "nspawn"
	Command    = "command" // started by the recorder itself
	Host       = "host"    // a unit or process of the host in a mount namespace of its own
)

// Sight is a task seen in a mount namespace that is not the host's.
type Sight struct {
	PID        int    // thread group, in the host's pid namespace; 0 when not known
	Cgroup     string // name of the task's cgroup, as read in the kernel; "" or "/" for the root
	CgroupPath string // its whole path where the recorder has it; else read from /proc/PID/cgroup
	MountNS    uint64 // the mount namespace's unique number
	NetNS      uint32 // inode of the network namespace; 0 when not known
}

// Options says where the host is. The zero value is right on the host itself.
type Options struct {
	Root    string        // the host's root directory as seen from here; "" is /
	Proc    string        // a proc of the host's pid namespace; "" is /proc
	Sockets []string      // more runtime sockets to ask, beside those found
	Timeout time.Duration // for one question to a socket; 0 is 500 ms
}

// Resolver answers which container a task belongs to. It may be used by
// several goroutines.
type Resolver struct {
	proc     proc
	files    files
	sockets  *sockets
	versions *versions
	memory   *memory
}

// New returns a Resolver. It opens nothing.
func New(o Options) *Resolver {
	p := newProc(cmp.Or(o.Proc, "/proc"))
	return &Resolver{
		proc:     p,
		files:    files{root: o.Root},
		sockets:  newSockets(p, o.Root, o.Sockets, cmp.Or(o.Timeout, 500*time.Millisecond)),
		versions: &versions{known: make(map[string]string)},
		memory:   newMemory(),
	}
}

// Resolve names the container of s. It is complete when asking again would add
// nothing. Until then ask again, with the pid of a task that lives where there
// is one, and once more when the container has ended; a container that was
// gone before its runtime wrote anything down never becomes complete. The ID is
// the same in every answer for one Sight; only of a container in the root cgroup
// it may change once, from the mount namespace's number to a name.
func (r *Resolver) Resolve(s Sight) (trace.Container, bool) {
	q := &query{Resolver: r, sight: s}
	q.live = r.proc.alive(s)
	q.place()
	q.look()
	q.askRuntime()
	if q.adopt() {
		q.look()
		q.askRuntime()
	}
	q.classify()
	q.process()
	q.network()
	q.version()
	q.c.Pod = q.memory.labelled(q.c.Pod)
	return q.answer()
}

// look reads what is found through the task itself.
func (q *query) look() {
	q.keeper()
	q.findState()
	q.findSpec()
}

// adopt goes on with the container's first process where the task seen is gone
// and the runtime has named it. Runtimes begin with short-lived tasks.
func (q *query) adopt() bool {
	if q.live || q.c.PID == 0 {
		return false
	}
	q.sight.PID = q.c.PID
	q.live = q.proc.alive(q.sight)
	q.named = q.named && !q.live // asked again with what the process leads to
	return q.live
}

// query is one Resolve under way.
type query struct {
	*Resolver
	sight Sight
	live  bool // the task is still there and still the one that was seen

	at     place  // by the cgroup
	kept   keeper // by the process above the container
	bundle string // directory of the OCI bundle
	spec   *spec  // the bundle's config.json
	c      trace.Container

	named   bool // the runtime has told what it knows
	pending bool // someone did not answer in time, or the container is still being made
}

// place reads the cgroup.
func (q *query) place() {
	paths, controllers := []string{q.sight.CgroupPath}, []string(nil)
	if q.sight.CgroupPath == "" && q.live {
		paths, controllers = q.proc.cgroups(q.sight.PID)
	}
	q.at = placeIn(append(paths, q.sight.Cgroup), controllers)
	q.c.ID, q.c.Runtime, q.c.Name = q.at.id, q.at.runtime, q.at.name
	if q.c.ID == "" {
		q.c.ID = "mnt-" + strconv.FormatUint(q.sight.MountNS, 10)
	}
	if q.at.podUID != "" {
		q.c.Pod = &trace.Pod{UID: q.at.podUID}
	}
}

// classify decides the runtime where the cgroup left it open.
func (q *query) classify() {
	switch {
	case q.c.Runtime != "":
	case q.kept.runtime != "":
		q.c.Runtime = q.kept.runtime
	case q.live && q.spec == nil && q.proc.sharesPIDs(q.sight.PID):
		q.c.Runtime = Host
		q.c.Name = cmp.Or(q.c.Name, clean(q.proc.comm(q.sight.PID), maxName))
		q.named = true
	}
}

// process adds what /proc knows about the container's first process.
func (q *query) process() {
	if q.c.PID == 0 {
		q.c.PID = q.kept.init
	}
	if q.c.PID == 0 {
		q.c.PID = q.sight.PID
	}
	if q.live && q.c.Started.IsZero() {
		q.c.Started = q.proc.started(q.c.PID)
	}
	if q.live && q.c.Granted == nil {
		q.c.Granted = q.proc.granted(q.c.PID)
	}
}

// answer puts the lists in order and decides whether asking again would help.
func (q *query) answer() (trace.Container, bool) {
	slices.Sort(q.c.IPs)
	q.c.IPs = slices.Compact(q.c.IPs)
	if q.c.Name == "" && q.at.id == "" {
		q.c.Name = q.c.ID
	}
	return q.c, q.named && !q.pending
}
