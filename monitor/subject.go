package monitor

import (
	"errors"
	"path"
	"reflect"
	"time"

	"advisor/trace"
)

// subject is a container: one or more spaces under one id.
type subject struct {
	rec     trace.Container
	written *trace.Container // as it stands in the trace, nil while it does not
	main    *space           // the first
	spaces  int
	calls   callSets
	facts   known // the others
	ids     hasher
	held    []trace.Record // until it is decided whether it is wanted

	named      bool // the runtime has told all it knows
	decided    bool
	wanted     bool
	ended      bool
	incomplete bool
	overAt     time.Time // when the start before this one ended, zero for the first
}

// fact writes what was seen in s, once.
func (r *recording) fact(s *space, key any, rec trace.Record) {
	if s.subject == nil {
		s.hold(key, rec)
		return
	}
	c := s.subject
	if r.isNested(s) {
		key = ofWorkload(key, rec)
	}
	if !c.first(key) || c.unendedTwin(rec) {
		return
	}
	assign(rec, c.rec.ID)
	r.note(c, rec)
	r.countFact(c, rec)
	r.emit(c, rec)
}

// hold keeps a fact until it is known whose it is.
func (s *space) hold(key any, rec trace.Record) {
	if call, ok := key.(callKey); ok {
		s.knownCalls().add(call)
	}
	s.held = append(s.held, fact{key, rec})
}

// first tells whether a fact is new to c. Most are system calls, and those have
// a bit.
func (c *subject) first(key any) bool {
	if call, ok := key.(callKey); ok {
		if placed, fresh := c.calls.add(call); placed {
			return fresh
		}
	}
	return c.facts.add(anyID(c.ids, key))
}

// note takes from a fact what concerns the container itself.
func (r *recording) note(c *subject, rec trace.Record) {
	call, ok := rec.(*trace.Syscall)
	if !ok {
		return
	}
	if call.Phase == trace.PhaseRun && c.rec.Command == "" {
		c.rec.Command = call.Exe
	}
}

// assign says whose a record is.
func assign(rec trace.Record, id string) {
	switch rec := rec.(type) {
	case *trace.Syscall:
		rec.Container = id
	case *trace.Denied:
		rec.Container = id
	case *trace.Capability:
		rec.Container = id
	case *trace.Connect:
		rec.Container = id
	case *trace.Accept:
		rec.Container = id
	case *trace.Listen:
		rec.Container = id
	case *trace.Exit:
		rec.Container = id
	case *trace.Exec:
		rec.Container = id
	case *trace.File:
		rec.Container = id
	case *trace.Last:
		rec.Container = id
	}
}

// emit writes a record of c, or keeps it while it is open whether c is wanted.
func (r *recording) emit(c *subject, rec trace.Record) {
	switch {
	case !c.decided:
		c.held = append(c.held, rec)
	case c.wanted:
		r.write(rec)
	}
}

// write appends to the trace. Its error comes back from the next flush, but for
// a record that the format refuses: that one counts as lost.
func (r *recording) write(rec trace.Record) {
	if err := r.out.write(rec); errors.Is(err, trace.ErrInvalid) {
		r.o.Log.Error("a record is refused", "error", err)
		loss := &trace.Loss{
			Probe: "trace", Stage: "write", Count: 1, Container: containerOf(rec),
			Reason: "the format refuses a record of type " + rec.Type(),
		}
		r.said(loss)
		_ = r.out.write(loss)
		return
	}
	if loss, ok := rec.(*trace.Loss); ok {
		r.said(loss)
	}
	r.sighted(rec)
}

// adopt gives a space to the container it was found to belong to.
func (r *recording) adopt(s *space, rec trace.Container, named bool) {
	c := r.subjects[rec.ID]
	if c == nil {
		c = &subject{main: s, ids: r.facts.ids}
		r.subjects[rec.ID] = c
	} else if s.subject == nil && c.startsAgain(s) {
		r.begin(c, s)
	}
	if c.main == s {
		r.rename(c, rec, named)
	}
	if s.subject != nil {
		return
	}
	s.subject = c
	c.spaces++
	c.incomplete = c.incomplete || s.incomplete
	r.describe(c)
	held := s.held
	s.held, s.told = nil, nil // what is held is told below
	for _, f := range held {
		r.fact(s, f.key, f.rec)
	}
	if s.ended != 0 {
		r.spaceOver(s)
	}
}

// rename takes over what is known of c now, and decides whether it is wanted.
func (r *recording) rename(c *subject, rec trace.Container, named bool) {
	c.named = c.named || named
	rec.Started = r.startOf(c, rec.Started)
	c.rec = merge(c.rec, rec)
	c.rec.Existed = c.main.late
	r.decide(c)
	r.describe(c)
}

// startOf is when c began, given what was said of it. Of a container that was seen
// to begin, a runtime is believed where its clock was: not when that was set since.
// What is said first stays, so that one start has one time.
func (r *recording) startOf(c *subject, said time.Time) time.Time {
	if c.main.late {
		return said
	}
	seen := r.clock.at(c.main.time)
	for _, t := range []time.Time{c.rec.Started, said} {
		if !t.IsZero() && t.Sub(seen).Abs() < startSlack && !t.Before(c.overAt) {
			return t
		}
	}
	return seen
}

// startSlack is how far a runtime's word of a container's start may be from when
// the container was first seen, to be of the same start. A container that is
// started again is seen again.
const startSlack = 5 * time.Second

// merge adds to what was known what is known now. An answer that came when the
// container was gone says less than one before it.
func merge(old, now trace.Container) trace.Container {
	if old.ID == "" {
		return now
	}
	was, is := reflect.ValueOf(&old).Elem(), reflect.ValueOf(now)
	for i := range was.NumField() {
		if !is.Field(i).IsZero() {
			was.Field(i).Set(is.Field(i))
		}
	}
	return old
}

// decide says yes as soon as the selection matches, and no when nothing more is
// going to be known.
func (r *recording) decide(c *subject) {
	if c.decided {
		return
	}
	switch {
	case c.rec.Runtime == commandRuntime && r.cmd.owns(c.main):
		c.wanted = true
	case len(r.o.Command) > 0 && r.o.Selection.Empty() && c.main.late:
		c.named = true // only the command, and what begins while it runs
	case r.o.Selection.Empty() && c.rec.Runtime == "" && !c.named && c.main.ended == 0:
		return // it may still turn out to be the host's
	default:
		c.wanted = r.o.Selection.Match(c.rec)
	}
	c.decided = c.wanted || c.named
	if !c.decided {
		return
	}
	r.release(c)
	if !c.wanted && r.o.Selection.Unsure(c.rec) {
		r.unnamed(c)
	}
}

// release lets go of what waited for the decision.
func (r *recording) release(c *subject) {
	held := c.held
	c.held = nil
	if !c.wanted {
		return
	}
	r.describe(c)
	for _, rec := range held {
		r.write(rec)
	}
}

// describe writes the container's own record when there is something new in it.
func (r *recording) describe(c *subject) {
	c.rec.Flags = c.flags()
	if !c.wanted {
		return
	}
	if c.written != nil && reflect.DeepEqual(c.rec, *c.written) {
		c.rec = *c.written // one copy of what it points to is enough
		return
	}
	rec := c.rec
	c.written = &rec
	r.write(&rec)
}

func (c *subject) flags() []string {
	var flags []string
	if c.main.late {
		flags = append(flags, trace.FlagLate)
	}
	if c.incomplete {
		flags = append(flags, trace.FlagIncomplete)
	}
	return flags
}

// end writes the container's exit. Events of its last calls may still be on the
// way, so what is left of its facts may come after.
func (r *recording) end(c *subject) {
	if c.ended {
		return
	}
	c.ended, c.main.endTold = true, true
	r.describe(c)
	r.emit(c, exitOfSpace(r.clock, c.rec.ID, c.main))
	r.beganAgain(c)
}

// settleSpace reads the slot of s once more, for what no event told.
func (r *recording) settleSpace(s *space) {
	if s.index == 0 {
		return
	}
	slot, err := r.p.state.slot(s.index)
	if err == nil && slot.Id == s.id {
		s.learn(&slot)
		r.compare(s, &slot, true)
	}
}

// exitCode is a wait status as a shell shows it.
func exitCode(status uint32) int {
	if signal := status & 0x7f; signal != 0 {
		return 128 + int(signal)
	}
	return int(status >> 8 & 0xff)
}

func baseName(file string) string { return path.Base(file) }
