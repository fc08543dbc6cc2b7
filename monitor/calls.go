package monitor

import (
	"slices"

	"advisor/bpf"
	"advisor/trace"
)

// callKey is what makes a system call one fact.
type callKey struct {
	arch, class uint8
	nr          uint32
}

// callSets are the sets of calls of a slot: the classes each was seen in.
type callSets struct {
	seen   [calls]uint8
	aside  [8]uint8
	compat *[calls]uint8 // nil while there are none, as nearly everywhere
}

// at is where the classes of a call are kept, nil where it has no place.
func (c *callSets) at(arch uint8, nr uint32) *uint8 {
	switch {
	case nr >= calls || arch == archX32:
		return nil
	case arch == archCompat:
		if c.compat == nil {
			c.compat = new([calls]uint8)
		}
		return &c.compat[nr]
	}
	for i, aside := range asideCalls() {
		if uint32(aside) == nr {
			return &c.aside[i]
		}
	}
	return &c.seen[nr]
}

// add notes a call, and tells whether it is new. What has no place is.
func (c *callSets) add(call callKey) (placed, fresh bool) {
	set := c.at(call.arch, call.nr)
	if set == nil {
		return false, true
	}
	fresh = *set&call.class != call.class
	*set |= call.class
	return true, fresh
}

// knownCalls are those of s that are written or wait to be.
func (s *space) knownCalls() *callSets {
	if s.subject != nil {
		return &s.subject.calls
	}
	if s.told == nil {
		s.told = new(callSets)
	}
	return s.told
}

// compare finds the calls in slot that no event has told of. They get until the
// next snapshot, unless this is the last.
func (r *recording) compare(s *space, slot *bpf.RecorderSlot, last bool) {
	var untold []callKey
	for call := range s.unknownCalls(slot) {
		if last || slices.Contains(s.untold, call) {
			r.fact(s, call, r.syscall(call.arch, call.class, call.nr, trace.Sighting{}))
		} else {
			untold = append(untold, call)
		}
	}
	s.untold = untold
}

// unknownCalls are the calls in slot that are not known, one for each class.
func (s *space) unknownCalls(slot *bpf.RecorderSlot) func(yield func(callKey) bool) {
	known := s.knownCalls()
	return func(yield func(callKey) bool) {
		more := true
		look := func(arch uint8, nr int, have, known uint8) {
			fresh := have &^ known &^ classDenied
			for class := uint8(classStartOpen); more && class <= fresh; class <<= 1 {
				if fresh&class != 0 {
					more = yield(callKey{arch, class, uint32(nr)})
				}
			}
		}
		for nr, have := range slot.Seen {
			look(archNative, nr, have, known.seen[nr])
		}
		for nr, have := range slot.Compat {
			if have != 0 {
				look(archCompat, nr, have, *known.at(archCompat, uint32(nr)))
			}
		}
		for i, nr := range asideCalls() {
			look(archNative, nr, slot.Aside[i], known.aside[i])
		}
	}
}
