package monitor

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"advisor/bpf"
	"advisor/monitor/container"
	"advisor/trace"
)

// How often the recorder looks.
const (
	drainEvery    = 100 * time.Millisecond
	snapshotEvery = time.Second
	scanEvery     = snapshotEvery // it is part of one
)

// recording is one run of the recorder. All of it belongs to one goroutine;
// only questions to runtimes are asked elsewhere.
type recording struct {
	o     Options
	p     *probes
	out   *output
	cmd   *command
	clock clock
	sites *sites

	spaces   map[uint64]*space   // by the mount namespace's unique number
	subjects map[string]*subject // by container id
	facts    *facts
	counts   *counter // nil where occurrences are not wanted
	ident    *identifier
	nat      *translator

	began      time.Time
	snapped    time.Time
	readFrom   time.Duration // boot clock: when the kernel's maps were last begun to be read
	scanned    time.Time
	scans      int
	lastNew    time.Time             // when the last new fact was first seen, by clock
	counted    lossCounts            // by the kernel, before the slots were last read
	attributed lossCounts            // of that, what is known whose it is
	told       lossCounts            // of that, what was told of nobody in particular
	lost       uint64                // facts, by all that was told
	lossesSaid map[trace.Loss]uint64 // by a loss without its count
	met        map[string]bool       // names of the selection that a container went by
	losers     map[string]string     // names of the containers that lost something, by id
	hostNetns  uint32
	orphans    map[uint64]uint32 // slots that a recorder before emptied, by namespace
	torn       uint64            // entries of the flight recorder that were not whole
	unwatched  error             // why refused calls are not seen, nil where they are
	gone       int               // selected containers that ended and are forgotten
	goneLate   []string          // of these, the names of those that were not seen to start
}

func newRecording(o Options, p *probes, out *output, cmd *command, i *identifier) *recording {
	now := time.Now()
	r := &recording{
		o: o, p: p, out: out, cmd: cmd, clock: newClock(p.state), sites: newSites(),
		spaces: make(map[uint64]*space), subjects: make(map[string]*subject),
		facts: newFacts(), ident: i, met: make(map[string]bool), nat: newTranslator(o.hostNet),
		began: now, snapped: now, scanned: now,
		lossesSaid: make(map[trace.Loss]uint64), losers: make(map[string]string),
	}
	r.lastNew = r.clock.now()
	if p.counting() {
		r.counts = newCounter()
	}
	return r
}

// existing notes the containers that run already. What they did before is not
// known.
func (r *recording) existing() error {
	err := r.p.state.tasks(func(t *bpf.RecorderTask) {
		if t.Tgid == kthreadd {
			r.hostNetns = t.Netns
		}
		if t.Tgid == kthreadd {
			return
		}
		known := r.spaces[t.Id] != nil
		s := r.space(t.Id)
		s.filtered = s.filtered || t.Filtered != 0
		if known {
			return
		}
		s.late = true
		s.sight = sightOf(t)
		s.netns, s.cgroup, s.pidns = t.Netns, t.Cgroup, t.Pidns
		r.identify(s)
	})
	if err != nil {
		return err
	}
	r.watchDenied()
	r.sockets()
	return nil
}

func sightOf(t *bpf.RecorderTask) container.Sight {
	raw := text(t.Path[:])
	return container.Sight{
		PID: int(t.Tgid), Cgroup: leaf(raw), CgroupPath: joinNames(raw),
		MountNS: t.Id, NetNS: t.Netns,
	}
}

// follow records until something ends it, and says what.
func (r *recording) follow(ctx context.Context) string {
	tick := time.NewTicker(drainEvery)
	defer tick.Stop()
	crowd := watchRing(r.p.coll.Maps[bpf.RecorderMapEvents].FD(), r.o.Log)
	defer crowd.close()
	for {
		select {
		case <-ctx.Done():
			return "interrupt"
		case <-r.cmd.done:
			return "command"
		case <-r.o.Dump:
			r.dumpAll()
		case <-crowd.noticed():
			if err := r.p.state.drain(r.event); err != nil {
				return r.broken(err)
			}
			r.watchDenied()
		case now := <-tick.C:
			if err := r.step(now); err != nil {
				return r.broken(err)
			}
			if reason := r.enough(now); reason != "" {
				return reason
			}
		}
	}
}

// broken is the reason of a recording that an error ends.
func (r *recording) broken(err error) string {
	if r.out.err == nil {
		r.o.Log.Error("recording stops", "error", err)
	}
	return "error: " + err.Error()
}

// step does what is due.
func (r *recording) step(now time.Time) error {
	if err := r.p.state.drain(r.event); err != nil {
		return err
	}
	if err := r.freshFiles(); err != nil {
		return err
	}
	r.answers()
	r.ask(now)
	r.watchDenied()
	if now.Sub(r.snapped) < snapshotEvery {
		return nil
	}
	r.snapped = now
	if err := r.snapshot(false); err != nil {
		return err
	}
	if now.Sub(r.scanned) >= scanEvery {
		r.scanned = now
		r.scan()
		r.tendRings()
	}
	if err := r.writeCounts(false); err != nil {
		return err
	}
	r.losses()
	if err := r.out.flush(); err != nil {
		return err
	}
	if err := r.out.turn(r.clock.now()); err != nil {
		return err
	}
	r.report()
	return nil
}

// enough names the condition under which recording ends, if one holds.
func (r *recording) enough(now time.Time) string {
	switch {
	case r.o.Duration > 0 && now.Sub(r.began) >= r.o.Duration:
		return "duration"
	case r.o.UntilQuiet > 0 && r.quiet() >= r.o.UntilQuiet:
		return "quiet"
	case r.o.UntilExit && r.allEnded():
		return "exit"
	}
	return ""
}

// allEnded tells whether everything that was selected has been there and is over.
func (r *recording) allEnded() bool {
	wanted := r.gone
	for _, c := range r.subjects {
		if c.wanted && !c.ended || !c.decided && r.o.Selection.Unsure(c.rec) {
			return false
		}
		if c.wanted {
			wanted++
			r.meet(c)
		}
	}
	for _, name := range slices.Concat(r.o.Selection.Containers, r.o.Selection.Pods) {
		if !r.met[name] {
			return false // it may not exist yet
		}
	}
	return wanted > 0
}

// event takes one event of the ring.
func (r *recording) event(e *bpf.RecorderEvent) {
	s := r.space(e.Id)
	s.has(e.Slot)
	switch e.Kind {
	case eventSlot:
		r.born(s)
	case eventCall:
		r.call(s, e)
	case eventExec:
		s.execs++
		s.refresh = true
		if s.subject == nil {
			r.born(s)
		}
	case eventExit:
		r.born(s)
		code := e.Code // the event's memory is used again
		r.ended(s, cmp.Or(s.endedAt, e.By.Time), &code)
	}
}

// space is the namespace of that number, made when it is new.
func (r *recording) space(id uint64) *space {
	s := r.spaces[id]
	if s == nil {
		s = &space{id: id}
		r.spaces[id] = s
	}
	return s
}

// born reads who a slot is, and asks for the name.
func (r *recording) born(s *space) {
	slot, err := r.p.state.slot(s.index)
	if err != nil || slot.Id != s.id || slot.Time == 0 {
		return
	}
	s.learn(&slot)
	if s.subject == nil {
		r.identify(s)
	}
}

// snapshot writes down what the maps have and no event has told. Between a fact
// and its event there is a moment, so a fact is given one more snapshot for its
// event to come, except when this is the last.
func (r *recording) snapshot(last bool) error {
	slots := r.counted[lostSlots] // read with the names of those concerned, see turnedAway
	r.counted = allLost(r.p.state.losses(), r.p.missed())
	r.counted[lostSlots] = slots
	r.readFrom = bootClock()
	err := r.p.state.slots(func(i int, slot *bpf.RecorderSlot) {
		s := r.space(slot.Id)
		fresh := s.index == 0
		s.has(uint32(i))
		s.learn(slot)
		if s.subject == nil && fresh {
			r.identify(s)
		}
		r.compare(s, slot, last)
	})
	if err != nil {
		return err
	}
	return r.readFacts(last)
}

// scan finds what ended without an event, and frees what can be.
func (r *recording) scan() {
	away := r.turnedAway()
	r.scans++
	orphans := maps.Clone(r.orphans)
	err := r.p.state.tasks(func(t *bpf.RecorderTask) {
		delete(orphans, t.Id)
		if s := r.spaces[t.Id]; s != nil {
			s.scanned = r.scans
			s.filtered = s.filtered || t.Filtered != 0
		}
		if s := away[t.Id]; s != nil && !s.known() {
			s.sight = sightOf(t)
			r.identify(s)
		}
	})
	if err != nil {
		r.o.Log.Warn("cannot see which containers ended", "error", err)
		return
	}
	r.freeOrphans(orphans)
	if r.counts != nil {
		r.counts.read = false
	}
	now := uint64(bootClock())
	gone := make(map[uint64]uint32) // slots to empty, by namespace
	for _, s := range r.spaces {
		alive := s.scanned == r.scans
		if s.ended == 0 && !alive && s.begun() {
			r.endUnseen(s, now)
		}
		if index := r.retire(s, alive); index != 0 {
			gone[s.id] = index
		}
	}
	if r.scans%tidyEvery == 0 {
		if err := r.dropNobodys(); err != nil {
			r.o.Log.Warn("forgetting what is nobody's", "error", err)
		}
	}
	if err := r.p.state.empty(gone); err != nil {
		r.o.Log.Warn("emptying slots", "error", err)
		for id := range gone {
			r.spaces[id].notCleared()
		}
	}
}

// ended notes the end of a namespace; it is its container's end when it is the
// first the container had.
func (r *recording) ended(s *space, at uint64, code *uint32) {
	if s.ended == 0 {
		s.ended, s.code = at, code
		r.dump(s, trace.WhyEnd)
	}
	r.spaceOver(s)
}

// endUnseen notes the end of a namespace that no event told of. Its slot keeps the
// time, so that who takes the recording up says the same.
func (r *recording) endUnseen(s *space, now uint64) {
	if s.index != 0 {
		r.born(s) // the event may be on its way, and the slot knows the code
	}
	if s.endedAt == 0 && s.index != 0 && r.p.pinned != "" {
		if err := r.p.state.noteEnd(s.index, now); err != nil {
			r.o.Log.Warn("an end is not kept", "error", err)
		}
	}
	r.ended(s, cmp.Or(s.endedAt, now), s.code)
}

// sighting turns the kernel's into the trace's.
func (r *recording) sighting(by *bpf.RecorderSighting) trace.Sighting {
	return trace.Sighting{
		Time: r.clock.at(by.Time), PID: int(by.Pid), Comm: leaf(text(by.Comm[:])),
		Exe: r.p.state.exe(by.Exe),
	}
}

// sorted returns the subjects by id, for an order that is the same each time.
func (r *recording) sorted() []*subject {
	ids := make([]string, 0, len(r.subjects))
	for id := range r.subjects {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	list := make([]*subject, len(ids))
	for i, id := range ids {
		list[i] = r.subjects[id]
	}
	return list
}
