package monitor

import (
	"errors"
	"fmt"
	"strings"

	"advisor/bpf"
	"advisor/monitor/container"
	"advisor/trace"
)

// finish takes in what is left and writes the end. The probes are detached
// first, so that what is read then is all there is.
func (r *recording) finish(reason string) error {
	if r.out.err != nil || r.out.full && r.p.pinned != "" {
		r.p.spare(r.o)
		return errors.Join(r.out.err, r.p.detach())
	}
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
	r.scan()
	r.settleNames()
	for _, c := range r.sorted() {
		r.close(c)
	}
	if err := r.writeCounts(true); err != nil {
		return err
	}
	r.losses()
	r.tornCalls()
	r.write(&trace.End{
		Time: r.clock.now(), Lost: r.lost,
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

// unnamed counts a container that a runtime made and did not name in time: it
// may be one that was selected.
func (r *recording) unnamed(c *subject) {
	r.lost++
	r.write(&trace.Loss{
		Probe: "names", Stage: "name", Count: 1, Container: c.rec.ID,
		Reason: "the runtime did not say in time whether this container is one of those selected",
	})
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
		Args: now.Args - r.told.Args, Counts: now.Counts - r.told.Counts,
		Files: now.Files - r.told.Files, Lasts: now.Lasts - r.told.Lasts, Sctp: now.Sctp - r.told.Sctp,
		Exes: now.Exes - r.told.Exes, Outcomes: now.Outcomes - r.told.Outcomes,
	}
	for _, loss := range r.lossRecords(delta) {
		r.write(&loss)
	}
	r.lost += delta.Slots + delta.Calls + delta.Args + delta.Caps + delta.Nets + delta.Sockets +
		delta.Files + delta.Sctp
	r.told = now
}

// tornCalls writes how many last calls were not whole.
func (r *recording) tornCalls() {
	if r.torn > 0 {
		r.write(&trace.Loss{
			Probe: "last", Stage: "ring", Count: r.torn, EvidenceOnly: true,
			Reason: "last calls that others were written over while they were read",
		})
	}
}

// lossRecords names what was lost. The last three stages cost evidence and no
// fact, so they do not make a trace incomplete.
func (r *recording) lossRecords(l bpf.RecorderLosses) []trace.Loss {
	slots := fmt.Sprintf("more than %d containers at a time: calls of those beyond", slotLimit(r.o))
	all := []trace.Loss{
		{Probe: "syscalls", Stage: "slot", Count: l.Slots, Reason: slots},
		{Probe: "syscalls", Stage: "map", Count: l.Calls, Reason: "too many rare system calls"},
		{Probe: "syscalls", Stage: "arguments", Count: l.Args, Reason: "too many distinct arguments"},
		{Probe: "capabilities", Stage: "map", Count: l.Caps, Reason: "too many distinct checks"},
		{Probe: "network", Stage: "map", Count: l.Nets, Reason: "too many distinct peers"},
		{Probe: "network", Stage: "socket", Count: l.Sockets, Reason: "no memory for a socket's owner"},
		{Probe: "files", Stage: "map", Count: l.Files, Reason: "too many distinct files"},
		{Probe: "last", Stage: "slot", Count: l.Lasts, EvidenceOnly: true,
			Reason: fmt.Sprintf("more than %d containers at a time: last calls of those beyond", Rings(max(r.o.Last, 1)))},
		{Probe: "network", Stage: "sctp", Count: l.Sctp,
			Reason: "SCTP sockets: of those only what they listen on is recorded"},
		{Probe: "syscalls", Stage: "ring", Count: l.Events,
			Reason: "time and process of first sightings; the facts are here", EvidenceOnly: true},
		{Probe: "capabilities", Stage: "outcome", Count: l.Outcomes,
			Reason: "outcome of the call of a check; the check is here", EvidenceOnly: true},
		{Probe: "syscalls", Stage: "counts", Count: l.Counts,
			Reason: "occurrences of rare calls; the calls are here", EvidenceOnly: true},
	}
	var lost []trace.Loss
	for _, loss := range all {
		if loss.Count > 0 {
			lost = append(lost, loss)
		}
	}
	return lost
}
