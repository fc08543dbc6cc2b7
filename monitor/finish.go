package monitor

import (
	"fmt"
	"strings"
	"time"

	"advisor/bpf"
	"advisor/monitor/container"
	"advisor/trace"
)

// finish takes in what is left and writes the end. The probes are detached
// first, so that what is read then is all there is.
func (r *recording) finish(reason string) error {
	if err := r.p.detach(); err != nil {
		r.o.Log.Warn("detaching the probes", "error", err)
	}
	if err := r.p.state.drain(r.event); err != nil {
		return err
	}
	r.answers()
	if err := r.snapshot(true); err != nil {
		return err
	}
	r.settleNames(afterEnd)
	for _, c := range r.sorted() {
		r.close(c)
	}
	r.losses()
	r.write(&trace.End{
		Time: r.clock.now(), Records: r.out.w.Records(), Lost: r.lost,
		Complete: r.complete(), Reason: reason,
	})
	return r.out.flush()
}

// close decides about a container that is still open, and writes what waited.
func (r *recording) close(c *subject) {
	if !c.decided {
		c.named = true
		r.decide(c)
	}
	r.describe(c)
}

func (r *recording) complete() trace.Complete {
	if r.lost > 0 {
		return trace.CompleteFalse
	}
	return trace.CompleteTrue
}

func (r *recording) result(reason string) Result {
	return Result{
		Status: r.status(), Complete: r.complete(), Reason: reason, Losses: r.lossRecords(r.told),
		ExitCode: r.cmd.code,
	}
}

// unmatched is the error of a selection that nothing was seen of.
func (r *recording) unmatched() error {
	if r.o.Selection.Empty() || r.status().Containers > 0 {
		return nil
	}
	var seen []string
	for _, c := range r.sorted() {
		if c.rec.Name != "" && c.rec.Runtime != container.Host && len(seen) < 10 {
			seen = append(seen, c.rec.Name)
		}
	}
	if len(seen) == 0 {
		return fmt.Errorf("%w %s; no other was seen either", ErrNoContainer,
			strings.Join(r.o.SelectionText, " "))
	}
	return fmt.Errorf("%w %s; seen were %s", ErrNoContainer,
		strings.Join(r.o.SelectionText, " "), strings.Join(seen, ", "))
}

// losses writes what was lost since the last time.
func (r *recording) losses() {
	now := r.p.state.losses()
	if now == r.told {
		return
	}
	delta := bpf.RecorderLosses{
		Slots: now.Slots - r.told.Slots, Events: now.Events - r.told.Events,
		Calls: now.Calls - r.told.Calls, Caps: now.Caps - r.told.Caps,
		Nets: now.Nets - r.told.Nets, Sockets: now.Sockets - r.told.Sockets,
		Exes: now.Exes - r.told.Exes, Outcomes: now.Outcomes - r.told.Outcomes,
	}
	for _, loss := range r.lossRecords(delta) {
		r.write(&loss)
	}
	r.lost += delta.Slots + delta.Calls + delta.Caps + delta.Nets + delta.Sockets
	r.told = now
}

// lossRecords names what was lost. The last two stages cost evidence and no
// fact, so they do not make a trace incomplete.
func (r *recording) lossRecords(l bpf.RecorderLosses) []trace.Loss {
	slots := fmt.Sprintf("more than %d containers at a time: calls of those beyond", slotLimit(r.o))
	all := []trace.Loss{
		{Probe: "syscalls", Stage: "slot", Count: l.Slots, Reason: slots},
		{Probe: "syscalls", Stage: "map", Count: l.Calls, Reason: "too many rare system calls"},
		{Probe: "capabilities", Stage: "map", Count: l.Caps, Reason: "too many distinct checks"},
		{Probe: "network", Stage: "map", Count: l.Nets, Reason: "too many distinct peers"},
		{Probe: "network", Stage: "socket", Count: l.Sockets, Reason: "no memory for a socket's owner"},
		{Probe: "syscalls", Stage: "ring", Count: l.Events,
			Reason: "time and process of first sightings; the facts are here", EvidenceOnly: true},
		{Probe: "capabilities", Stage: "outcome", Count: l.Outcomes,
			Reason: "outcome of the call of a check; the check is here", EvidenceOnly: true},
	}
	var lost []trace.Loss
	for _, loss := range all {
		if loss.Count > 0 {
			lost = append(lost, loss)
		}
	}
	return lost
}

// retirement is how far a slot is on its way to be used again.
type retirement int

const (
	inUse retirement = iota
	cleared
	freed
)

// keepEnded is how long an ended container's slot stays, for its last facts.
const keepEnded = 2 * time.Second

// retire lets the slot of an ended space be used again, in two steps with a scan
// of all tasks between them. First the slot is emptied: a task that is in the
// namespace after all gets a new slot with its next call, because nothing in the
// old one says that a call was seen. Only when nobody is there at the next scan
// is the slot handed out. One where somebody is, is given up.
func (r *recording) retire(s *space, alive bool) {
	if s.index == 0 || s.ended == 0 || alive {
		return
	}
	switch {
	case s.retired == inUse && bootClock()-time.Duration(s.ended) > keepEnded:
		r.settleSpace(s)
		if err := r.p.state.empty(s.index, s.id); err != nil {
			r.o.Log.Warn("emptying a slot", "error", err)
			return
		}
		s.retired = cleared
	case s.retired == cleared:
		if err := r.p.state.free(s.index); err != nil {
			r.o.Log.Warn("freeing a slot", "error", err)
		}
		s.retired = freed
		if s.subject != nil && s.subject.named && s.subject.ended {
			r.forget(s)
		}
	}
}

// forget drops what nothing will be added to.
func (r *recording) forget(s *space) {
	r.facts.forget(s.id)
	s.told, s.last = callSets{}, callSets{}
	s.index = 0
}
