package cbpf

import (
	"fmt"
	"math/bits"

	"advisor/policies/seccomp/words"
)

// value is what a register holds while the calls are not known: a constant, or
// a word under a mask.
type value struct {
	symbolic bool
	word     int
	mask     uint32
	constant uint32
}

// symbols is the state of a step.
type symbols struct {
	a, x value
	mem  [16]value
}

// Step runs the program on all calls of a cube as far as they agree: it gives
// the value returned for all of them, or, with done false, the first test on
// which they part. Splitting the cube there and stepping again ends, since
// programs have no loops. Arithmetic on words other than AND is an error: the
// filters of libseccomp have none.
func (p Program) Step(c *words.Cube) (ret uint32, test words.Test, done bool, err error) {
	var s symbols
	for at := 0; at < len(p); at++ {
		in := p[at]
		switch in.Code & 7 {
		case classRet:
			ret, err := s.result(in)
			return ret, words.Test{}, true, err
		case classJmp:
			skip, test, ok, err := s.jump(in, c)
			if !ok || err != nil {
				return 0, test, false, err
			}
			at += skip
		default:
			if err := s.straight(in); err != nil {
				return 0, words.Test{}, false, fmt.Errorf("BPF instruction %d: %w", at, err)
			}
		}
	}
	return 0, words.Test{}, false,
		fmt.Errorf("BPF program of %d instructions: it does not return", len(p))
}

func (s *symbols) result(in Instruction) (uint32, error) {
	if in.Code == RetK {
		return in.K, nil
	}
	if s.a.symbolic {
		return 0, fmt.Errorf("BPF program returns word %d of its input", s.a.word)
	}
	return s.a.constant, nil
}

// straight runs an instruction that does not branch.
func (s *symbols) straight(in Instruction) error {
	switch in.Code {
	case LdAbs:
		s.a = value{symbolic: true, word: int(in.K / 4), mask: ^uint32(0)}
	case ldMem:
		s.a = s.mem[in.K&15]
	case ldxMem:
		s.x = s.mem[in.K&15]
	case ldImm:
		s.a = value{constant: in.K}
	case ldxImm:
		s.x = value{constant: in.K}
	case ldLen:
		s.a = value{constant: dataSize}
	case ldxLen:
		s.x = value{constant: dataSize}
	case tax:
		s.x = s.a
	case txa:
		s.a = s.x
	default:
		return s.other(in)
	}
	return nil
}

func (s *symbols) other(in Instruction) error {
	switch {
	case in.Code&7 == classSt:
		s.mem[in.K&15] = s.a
	case in.Code&7 == classStx:
		s.mem[in.K&15] = s.x
	case s.a.symbolic && in.Code == aluAnd:
		s.a.mask &= in.K
	case s.a.symbolic || s.x.symbolic:
		return fmt.Errorf("arithmetic %#x on a word that is not known", in.Code)
	default:
		m := machine{a: s.a.constant, x: s.x.constant}
		if err := m.alu(in); err != nil {
			return err
		}
		s.a = value{constant: m.a}
	}
	return nil
}

// jump is how many instructions are left out, or the test that parts the calls.
func (s *symbols) jump(in Instruction, c *words.Cube) (int, words.Test, bool, error) {
	k := in.K
	if in.Code&srcX != 0 {
		if s.x.symbolic {
			return 0, words.Test{}, false, fmt.Errorf("comparison with word %d", s.x.word)
		}
		k = s.x.constant
	}
	if !s.a.symbolic || in.Code == Ja {
		m := machine{a: s.a.constant, x: k}
		return m.jump(in), words.Test{}, true, nil
	}
	is, test, ok := s.a.compare(in.Code&^srcX, k, c)
	if !ok {
		return 0, test, false, nil
	}
	if is {
		return int(in.Jt), test, true, nil
	}
	return int(in.Jf), test, true, nil
}

// compare settles a comparison of a masked word with k, or names the test that
// is open.
func (v value) compare(code uint16, k uint32, c *words.Cube) (is bool, test words.Test, ok bool) {
	switch code {
	case Jeq:
		test = words.Test{Word: v.word, Mask: v.mask, Value: k}
	case Jset:
		test = words.Test{Word: v.word, Mask: v.mask & k, Not: true}
	default:
		return v.compareOrder(code == Jge, k, c)
	}
	is, ok = c.Decide(test)
	return is, test, ok
}

// compareOrder settles > or >=. A masked word has no order of its own, so its
// bits are asked for one by one from the highest.
func (v value) compareOrder(orEqual bool, k uint32, c *words.Cube) (bool, words.Test, bool) {
	if v.mask == ^uint32(0) {
		test := words.Test{Word: v.word, Op: words.Greater, Value: k}
		if orEqual {
			test.Op = words.AtLeast
		}
		is, ok := c.Decide(test)
		return is, test, ok
	}
	for rest := v.mask | k; rest != 0; {
		bit := uint32(1) << (31 - bits.LeadingZeros32(rest))
		rest &^= bit
		test := words.Test{Word: v.word, Mask: v.mask & bit, Value: v.mask & bit}
		one, ok := c.Decide(test)
		if !ok {
			return false, test, false
		}
		if one = one && v.mask&bit != 0; one != (k&bit != 0) {
			return one, test, true
		}
	}
	return orEqual, words.Test{}, true
}
