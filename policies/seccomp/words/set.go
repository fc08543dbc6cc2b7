package words

import (
	"math/bits"
	"slices"
)

// set is the values of one word: from lo to hi, with the bits of mask equal to
// value, and outside every pattern of not.
type set struct {
	lo, hi      uint32
	mask, value uint32
	not         []pattern
	empty       bool
}

// pattern is the words that equal value under mask.
type pattern struct{ mask, value uint32 }

// with adds a test. The result may be empty.
func (s set) with(t Test) set {
	switch t.Op {
	case Equal:
		if t.Not {
			return s.without(pattern{t.Mask, t.Value})
		}
		return s.matching(pattern{t.Mask, t.Value})
	case Greater:
		if t.Value == ^uint32(0) {
			s.empty = s.empty || !t.Not
			return s
		}
		t.Value++
	}
	if !t.Not {
		s.lo = max(s.lo, t.Value)
		return s
	}
	if t.Value == 0 {
		s.empty = true
		return s
	}
	s.hi = min(s.hi, t.Value-1)
	return s
}

func (s set) matching(p pattern) set {
	if p.value&^p.mask != 0 || (s.value^p.value)&s.mask&p.mask != 0 {
		s.empty = true
	}
	s.mask |= p.mask
	s.value |= p.value
	return s
}

func (s set) without(p pattern) set {
	if p.value&^p.mask != 0 {
		return s // nothing has bits outside the mask
	}
	s.not = append(s.not[:len(s.not):len(s.not)], p)
	return s
}

// leaps is how often least jumps over a pattern before it splits instead.
const leaps = 64

// least is the smallest member, if there is one.
func (s set) least() (uint32, bool) {
	if s.empty {
		return 0, false
	}
	v := s.lo
	for range leaps {
		var ok bool
		if v, ok = next(v, s.mask, s.value); !ok || v > s.hi {
			return 0, false
		}
		p, hit := s.hit(v)
		if !hit {
			return v, true
		}
		free := p.mask &^ s.mask
		if free == 0 {
			return 0, false // every member has the pattern
		}
		step := free & -free
		if v|(step-1) == ^uint32(0) {
			return 0, false
		}
		v = (v | (step - 1)) + 1
	}
	return s.leastApart()
}

// leastApart takes the pattern with the fewest free bits and looks at the ways
// to differ from it: in its first free bit, or only from the second on, and so
// forth. Each has one pattern less, so that it ends.
func (s set) leastApart() (uint32, bool) {
	at := s.tightest()
	p := s.not[at]
	s.not = slices.Delete(slices.Clone(s.not), at, at+1)
	if (s.value^p.value)&s.mask&p.mask != 0 {
		return s.least()
	}
	var best uint32
	var found bool
	for free := p.mask &^ s.mask; free != 0; {
		bit := free & -free
		free &^= bit
		v, ok := s.matching(pattern{bit, ^p.value & bit}).least()
		if ok && (!found || v < best) {
			best, found = v, true
		}
		s = s.matching(pattern{bit, p.value & bit})
	}
	return best, found
}

// tightest is the pattern that leaves the fewest bits free.
func (s set) tightest() int {
	at, least := 0, 33
	for i, p := range s.not {
		if n := bits.OnesCount32(p.mask &^ s.mask); n < least {
			at, least = i, n
		}
	}
	return at
}

// hit finds a pattern that v has and must not have.
func (s set) hit(v uint32) (pattern, bool) {
	for _, p := range s.not {
		if v&p.mask == p.value {
			return p, true
		}
	}
	return pattern{}, false
}

// next is the smallest number from v on whose bits under mask are value.
func next(v, mask, value uint32) (uint32, bool) {
	diff := (v ^ value) & mask
	if diff == 0 {
		return v, true
	}
	top := uint32(1) << (31 - bits.LeadingZeros32(diff))
	if value&top != 0 {
		// v has 0 where 1 is wanted: all below may start from its least.
		below := top | (top - 1)
		return v&^below | value&below, true
	}
	// v has 1 where 0 is wanted: a free 0 above must become 1.
	free := ^mask &^ v &^ (top | (top - 1))
	if free == 0 {
		return 0, false
	}
	low := free & -free
	return v&^(low-1) | low | value&(low-1), true
}
