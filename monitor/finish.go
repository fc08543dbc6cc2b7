package monitor

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

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
	r.losers[c.rec.ID] = cmp.Or(c.rec.Name, c.rec.ID)
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
		Status: r.status(), Complete: r.complete(), Reason: reason, Losses: r.lossesSoFar(), Losers: r.losers,
		Late:     r.lateNames(),
		ExitCode: r.cmd.code,
	}
}

// unmatched is the error of a selection that nothing was seen of.
func (r *recording) unmatched() error {
	if r.o.Selection.Empty() || r.status().Containers > 0 {
		return nil
	}
	seen := r.others()
	if len(seen) == 0 {
		return fmt.Errorf("%w %s; no other was seen either", ErrNoContainer,
			strings.Join(r.o.SelectionText, " "))
	}
	return fmt.Errorf("%w %s; seen were %s", ErrNoContainer,
		strings.Join(r.o.SelectionText, " "), strings.Join(seen, ", "))
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
