package monitor

import (
	"errors"
	"time"

	"advisor/bpf"
)

// youngFor is how long a new namespace may go without a filter and still get one.
const youngFor = 10 * time.Second

// expecting tells whether a namespace is so new that its runtime may be about to
// set a filter: what that refuses first is refused at once.
func (r *recording) expecting() bool {
	now := bootClock()
	for _, s := range r.spaces {
		if !s.late && s.ended == 0 && s.time > 0 && now-time.Duration(s.time) < youngFor {
			return true
		}
	}
	return false
}

// refusing tells whether a filter may refuse calls of a namespace that is recorded,
// or may turn out to be.
func (r *recording) refusing(s *space) bool {
	gone := s.ended != 0 && s.scanned < r.scans
	c := s.subject
	return s.filtered && !gone && (c == nil || !c.decided || c.wanted)
}

// watchDenied has the way out of calls watched while a recorded container has a
// filter that may refuse some. The kernel wakes the recorder for each container
// that begins while it is not.
func (r *recording) watchDenied() {
	if r.o.Denied == "on" || r.o.Denied == "off" || outcomesWanted(r.o) || exitsNeeded(r.o) {
		return
	}
	wanted := r.expecting()
	for _, s := range r.spaces {
		wanted = wanted || r.refusing(s)
	}
	err := r.p.watchRefusals(wanted)
	if err != nil && r.unwatched == nil {
		r.o.Log.Warn("calls that a filter refuses are not seen", "error", err)
	}
	r.unwatched = err
}

// watchRefusals is [probes.watchExits] for the refused calls alone: while it is off,
// the kernel counts who has a filter as having lost some.
func (p *probes) watchRefusals(on bool) error {
	if p.exits == nil {
		return nil // the kernel refused it, which the header says
	}
	if !on {
		return errors.Join(p.state.write(bpf.RecorderVarUnwatched, uint32(1)), p.watchExits(false))
	}
	if err := p.watchExits(true); err != nil {
		return errors.Join(err, p.state.write(bpf.RecorderVarUnwatched, uint32(1)))
	}
	return p.state.write(bpf.RecorderVarUnwatched, uint32(0))
}
