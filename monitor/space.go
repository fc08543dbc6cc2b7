package monitor

import (
	"time"

	"advisor/bpf"
	"advisor/monitor/container"
	"advisor/trace"
)

// space is a mount namespace that is not the host's. A container has one, and
// more when it makes some itself; what is known of it waits here until its
// container is.
type space struct {
	id     uint64
	index  uint32 // of its slot, 0 while none is known
	inum   uint32
	netns  uint32
	pidns  uint32
	cgroup uint64
	sight  container.Sight
	from   uint64 // the namespace that it was made from
	nested bool   // that is of the same container

	subject *subject
	held    []fact // until the subject is known

	time       uint64 // of the first call, boot clock, ns
	first      int    // pid that made it
	late       bool
	filtered   bool // a seccomp filter is in force, or may soon be
	incomplete bool // calls of it were not recorded
	refresh    bool // exec: what was read of the slot may be old
	execs      int
	ended      uint64 // boot clock, ns; 0 while it is not known to be over
	endedAt    uint64 // when that was, as its slot says; 0 while it does not
	code       *uint32
	endTold    bool // as a start of its container
	losses     spaceLosses
	retired    retirement
	left       []uint32 // slots that were emptied and are not free yet
	written    mark     // behind all that was in the slot when it was settled

	early   *trace.Container // an answer from before the namespace was where it stays, nil while there is none
	asking  bool
	asked   int
	nextAsk time.Time
	scanned int // the last scan that found a task in it

	places places // of files, as they were seen
	flight flight

	told   *callSets // calls that are held, nil where none are: its container has the others
	untold []callKey // calls of the last snapshot that no event had told of
}

// fact is a record without its container, and what makes it one fact.
type fact struct {
	key any
	rec trace.Record
}

// begun tells whether more is known of it than one fact: a container that has
// begun since the slots were last read may be over by the time its facts are.
func (s *space) begun() bool { return s.known() || s.losses.now[lostSlots] > 0 }

// learn takes over what a slot says of its namespace.
func (s *space) learn(slot *bpf.RecorderSlot) {
	s.netns, s.pidns, s.cgroup, s.inum = slot.Netns, slot.Pidns, slot.Cgroup, slot.Inum
	s.time, s.first, s.from = slot.Time, int(slot.Pid), slot.From
	s.late = s.late || slot.Flags&slotLate != 0
	pid := slot.Init
	if pid == 0 {
		pid = slot.Pid
	}
	// Of what was there before, the first program that ran since is any, and soon gone.
	if s.late && s.sight.PID != 0 {
		pid = uint32(s.sight.PID)
	}
	raw := text(slot.Path[:])
	sight := container.Sight{
		PID: int(pid), Cgroup: leaf(raw), CgroupPath: joinNames(raw),
		MountNS: s.id, NetNS: slot.Netns,
	}
	if sight.CgroupPath != s.sight.CgroupPath {
		s.early = nil
	}
	s.sight = sight
	s.execs = max(s.execs, int(slot.Execs))
	s.incomplete = s.incomplete || slot.Flags&slotFactsLost != 0
	s.losses.learn(slot)
	s.filtered = s.filtered || slot.Lost.Refusals > 0
	s.endedAt = slot.Ended
	if slot.Flags&slotEnded != 0 {
		s.code = new(slot.Code)
	}
	if s.subject != nil {
		s.subject.incomplete = s.subject.incomplete || s.incomplete
	}
}

// call takes an event of a system call's first sighting.
func (r *recording) call(s *space, e *bpf.RecorderEvent) {
	if e.Class&classDenied != 0 {
		r.denied(s, callKey{e.Arch, classDenied, e.Nr}, e.Code, &e.By)
		return
	}
	s.filtered = s.filtered || e.Class&(classStartFiltered|classRunFiltered) != 0
	r.fact(s, callKey{e.Arch, e.Class, e.Nr}, r.syscall(e.Arch, e.Class, e.Nr, r.sighting(&e.By)))
}

func (r *recording) syscall(arch, class uint8, nr uint32, by trace.Sighting) *trace.Syscall {
	phase, filtered := phaseOf(class)
	name := archName(arch)
	return &trace.Syscall{
		Phase: phase, Filtered: filtered, Arch: name, Nr: int(nr),
		Name: trace.SyscallName(name, int(nr)), Sighting: by,
	}
}

func phaseOf(class uint8) (trace.Phase, bool) {
	filtered := class&(classStartFiltered|classRunFiltered) != 0
	if class&(classStartOpen|classStartFiltered) != 0 {
		return trace.PhaseStart, filtered
	}
	return trace.PhaseRun, filtered
}

func (r *recording) denied(s *space, key callKey, code uint32, by *bpf.RecorderSighting) {
	arch := archName(key.arch)
	r.fact(s, key, &trace.Denied{
		Arch: arch, Nr: int(key.nr), Syscall: trace.SyscallName(arch, int(key.nr)),
		Action: action(code), Sighting: r.sighting(by),
	})
	r.firstDenied(s)
}

// action is what the caller got: an errno, or the signal that ends it.
func action(code uint32) string {
	if code == deniedSignal {
		return "SIGSYS"
	}
	return trace.ErrnoName(int(code))
}
