package monitor

import (
	"time"

	"advisor/bpf"
	"advisor/trace"
)

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
// It tells whether the slot is to be emptied now.
func (r *recording) retire(s *space, alive bool) (empty bool) {
	if s.ended == 0 || alive {
		return false
	}
	switch {
	case s.index == 0 || s.retired == freed:
		r.forget(s)
	case s.retired == inUse && bootClock()-time.Duration(s.ended) > keepEnded:
		r.settleSpace(s)
		r.countSpace(s)
		r.dump(s, trace.WhyEnd)
		r.dropRing(s, bpf.RecorderRing{})
		s.retired = cleared
		return true
	case s.retired == cleared:
		if err := r.p.state.free(s.index); err != nil {
			r.o.Log.Warn("freeing a slot", "error", err)
		}
		s.retired = freed
	}
	return false
}

// lastFacts is how long after the end of a namespace facts of it may still get
// their other half: a connection is closed by then, and calls do not end any more.
const lastFacts = keepEnded / 2

// over tells whether nothing more will be known of the facts of that namespace.
// They are written before its slot is emptied, and with it what the kernel has.
func (r *recording) over(id uint64) bool {
	s := r.spaces[id]
	return s != nil && s.ended != 0 && bootClock()-time.Duration(s.ended) > lastFacts
}

// forget drops a namespace that nothing will be added to, and its container with
// the last of them: a recorder that runs for months sees millions.
func (r *recording) forget(s *space) {
	c := s.subject
	over := bootClock()-time.Duration(s.ended) > keepEnded
	if c == nil || !c.named || !c.ended || s.asking || !over {
		return
	}
	r.facts.forget(s.id)
	delete(r.spaces, s.id)
	c.spaces--
	if c.spaces > 0 {
		return
	}
	delete(r.subjects, c.rec.ID)
	r.out.forget(c.rec.ID)
	if c.wanted {
		r.gone++
		r.meet(c)
	}
}
