package monitor

import (
	"slices"
	"time"

	"advisor/bpf"
	"advisor/trace"
)

// retirement is how far a slot is on its way to be used again.
type retirement int

const (
	inUse   retirement = iota
	settled            // all of it is in the trace, or on its way there
	cleared
	freed
)

// keepEnded is how long an ended container's slot stays, for its last facts.
const keepEnded = 2 * time.Second

// retire lets the slot of an ended space be used again, in two steps with a scan
// of all tasks between them. First the slot is emptied: a task that is in the
// namespace after all gets a new slot with its next call, because nothing in the
// old one says that a call was seen. Only when nobody is there at the next scan
// is the slot handed out. One where somebody is, is left until that is so.
// A recording that is pinned empties a slot only when what it held is in the file:
// who takes it up after this process was killed finds it in one of the two.
// It returns the slot that is to be emptied now, or 0.
func (r *recording) retire(s *space, alive bool) (empty uint32) {
	if s.comeBack(alive) {
		r.counts.reopen(s.id)
	}
	if s.ended == 0 || alive {
		return 0
	}
	switch {
	case s.retired == cleared:
		r.freeLeft(s)
		s.retired = freed
	case s.index == 0 || s.retired == freed:
		r.forget(s)
	case s.retired == inUse && r.readAfter(s, keepEnded):
		r.settleSpace(s)
		r.countSpace(s)
		r.dump(s, trace.WhyEnd)
		r.dropRing(s, bpf.RecorderRing{})
		s.retired = settled
		if r.p.pinned == "" {
			return s.clear()
		}
	case s.retired == settled && s.written.spool == nil:
		// What waits until it is known whose it is waits in memory.
		if s.subject != nil && s.subject.decided && r.out.flush() == nil {
			s.written = r.out.spool.mark()
		}
	case s.retired == settled && s.written.reached():
		r.settleSpace(s)
		return s.clear()
	}
	return 0
}

// clear is for a space whose slot is emptied now.
func (s *space) clear() uint32 {
	s.losses.kept()
	s.retired = cleared
	s.left = append(s.left, s.index)
	s.index = 0
	return s.left[len(s.left)-1]
}

// notCleared is for one where that went wrong: it is tried again.
func (s *space) notCleared() {
	last := len(s.left) - 1
	s.index, s.left, s.retired = s.left[last], s.left[:last], inUse
}

// has notes which slot s has: not one that was emptied, which an event may still
// be of.
func (s *space) has(slot uint32) {
	if !slices.Contains(s.left, slot) {
		s.index = slot
	}
}

// comeBack is for a namespace that outlives its tasks, held by a file or a mount:
// who enters it after its slot was emptied has another, and that has an end too.
func (s *space) comeBack(alive bool) bool {
	if s.retired < cleared || s.index == 0 {
		return false
	}
	s.retired, s.written, s.code = inUse, mark{}, nil
	s.flight, s.untold = flight{}, nil
	s.ended = uint64(bootClock())
	if alive {
		s.ended = 0
	}
	return true
}

// freeLeft hands out the slots that s had, when nobody is in its namespace: nobody
// is known by them any more.
func (r *recording) freeLeft(s *space) {
	for _, index := range s.left {
		if err := r.p.state.free(index); err != nil {
			r.o.Log.Warn("freeing a slot", "error", err)
		}
	}
	s.left = nil
}

// freeOrphans goes on with slots that a recorder which was killed had emptied, and
// in whose namespaces nobody is.
func (r *recording) freeOrphans(slots map[uint64]uint32) {
	for id, index := range slots {
		if err := r.p.state.free(index); err != nil {
			r.o.Log.Warn("freeing a slot", "error", err)
		}
		delete(r.orphans, id)
	}
}

// takeUp finds what the recorder before left half done.
func (r *recording) takeUp() (err error) {
	r.orphans, err = r.p.state.orphans()
	return err
}

// lastFacts is how long after the end of a namespace facts of it may still get
// their other half: a connection is closed by then, and calls do not end any more.
const lastFacts = keepEnded / 2

// over tells whether nothing more will be known of the facts of that namespace.
// They are written before its slot is emptied, and with it what the kernel has.
func (r *recording) over(id uint64) bool {
	s := r.spaces[id]
	return s != nil && s.ended != 0 && r.readAfter(s, lastFacts)
}

// readAfter tells whether the kernel's maps were read since so long after the end of
// a namespace: read from the beginning. On a slow machine a container may begin and
// end while they are read, and the time that has passed says nothing of its facts.
func (r *recording) readAfter(s *space, end time.Duration) bool {
	return r.readFrom-time.Duration(s.ended) > end
}

// forget drops a namespace that nothing will be added to, and its container with
// the last of them: a recorder that runs for months sees millions.
func (r *recording) forget(s *space) {
	over := bootClock()-time.Duration(s.ended) > keepEnded
	if s.subject == nil && !s.known() && over && s.losses.now[lostSlots] > 0 {
		r.nobodys(s) // there was no slot for it, and it was gone before it was looked at
	}
	c := s.subject
	if c == nil || !c.named || c.main == s && !c.ended || s.asking || !over || c.wanted && s.losses.now != s.losses.told {
		return
	}
	if s.losses.now[lostSlots] > 0 {
		_ = r.p.coll.Maps[bpf.RecorderMapTurnedAway].Delete(s.id) // or it is not there any more
	}
	r.endCounts(s)
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
		if c.main.late {
			r.goneLate = append(r.goneLate, c.called())
		}
		r.meet(c)
	}
}
