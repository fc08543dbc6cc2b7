// Package words is exact reasoning about sixteen words of 32 bits, the shape
// of what a seccomp filter sees: which values satisfy a set of tests, whether a
// test is settled by those already passed, and a value for which it is not.
//
// A [Cube] is a conjunction of tests. There is a test for each comparison that
// a classic BPF program makes in one instruction: whole words by order, masked
// words by equality. Everything else is made of these by asking one after the
// other. The answers are exact; nothing is sampled.
package words

import (
	"fmt"
	"slices"
)

// Count is the number of words: those of struct seccomp_data (seccomp(2)).
const Count = 16

// Op is the comparison of a [Test].
type Op uint8

// The comparisons.
const (
	Equal   Op = iota // word & Mask == Value
	Greater           // word > Value
	AtLeast           // word >= Value
)

// Test is one comparison of one word. Mask counts with Equal only.
type Test struct {
	Word  int
	Op    Op
	Mask  uint32
	Value uint32
	Not   bool
}

// Negated is the opposite test.
func (t Test) Negated() Test {
	t.Not = !t.Not
	return t
}

// Holds applies the test to the value of its word.
func (t Test) Holds(v uint32) bool {
	var is bool
	switch t.Op {
	case Equal:
		is = v&t.Mask == t.Value
	case Greater:
		is = v > t.Value
	default:
		is = v >= t.Value
	}
	return is != t.Not
}

// String is the test as in C.
func (t Test) String() string {
	op := [...][2]string{{"==", "!="}, {">", "<="}, {">=", "<"}}[t.Op]
	side := op[0]
	if t.Not {
		side = op[1]
	}
	if t.Op == Equal && t.Mask != ^uint32(0) {
		return fmt.Sprintf("w%d & %#x %s %#x", t.Word, t.Mask, side, t.Value)
	}
	return fmt.Sprintf("w%d %s %#x", t.Word, side, t.Value)
}

// Cube is a conjunction of tests that some values satisfy. The zero value is
// not one: begin with [All].
type Cube struct {
	words [Count]set
	tests []Test // as they were added, without those that added nothing
}

// All is the cube of every value.
func All() Cube {
	var c Cube
	for i := range c.words {
		c.words[i] = set{hi: ^uint32(0)}
	}
	return c
}

// Fixed is the cube with one word set.
func (c Cube) Fixed(word int, value uint32) Cube {
	c.words[word] = set{lo: value, hi: value}
	return c
}

// Between is the cube with one word in a range, both ends included.
func (c Cube) Between(word int, lo, hi uint32) Cube {
	c.words[word] = set{lo: lo, hi: hi}
	return c
}

// With adds a test. It is false where nothing satisfies it any more.
func (c Cube) With(t Test) (Cube, bool) {
	s := c.words[t.Word].with(t)
	if _, ok := s.least(); !ok {
		return Cube{}, false
	}
	if _, differs := c.words[t.Word].with(t.Negated()).least(); !differs {
		return c, true
	}
	c.words[t.Word] = s
	c.tests = append(c.tests[:len(c.tests):len(c.tests)], t)
	return c, true
}

// Decide tells whether all values of the cube agree on a test, and on what.
func (c *Cube) Decide(t Test) (value, decided bool) {
	s := c.words[t.Word]
	if s.lo == s.hi {
		return t.Holds(s.lo), true
	}
	if _, yes := s.with(t).least(); !yes {
		return false, true
	}
	if _, no := s.with(t.Negated()).least(); !no {
		return true, true
	}
	return false, false
}

// Split gives the parts of the cube where an undecided test holds and where it
// does not.
func (c Cube) Split(t Test) (yes, no Cube) {
	yes, _ = c.With(t)
	no, _ = c.With(t.Negated())
	return yes, no
}

// Witness is the least value of each word.
func (c Cube) Witness() [Count]uint32 {
	var out [Count]uint32
	for i, s := range c.words {
		out[i], _ = s.least()
	}
	return out
}

// Tests are those that narrow the cube, in the order they were asked.
func (c Cube) Tests() []Test { return c.tests }

// Needed are the tests of one word, from [All] on, without those that follow
// from the others; one equality where a single value is left.
func (c Cube) Needed(word int) []Test {
	list := slices.DeleteFunc(slices.Clone(c.tests), func(t Test) bool { return t.Word != word })
	for i := 0; i < len(list); {
		others := slices.Delete(slices.Clone(list), i, i+1)
		if _, open := setOf(others).with(list[i].Negated()).least(); open {
			i++
			continue
		}
		list = others
	}
	s := setOf(list)
	v, _ := s.least()
	if _, more := s.without(pattern{^uint32(0), v}).least(); !more && len(list) > 0 {
		return []Test{{Word: word, Mask: ^uint32(0), Value: v}}
	}
	return list
}

func setOf(tests []Test) set {
	s := set{hi: ^uint32(0)}
	for _, t := range tests {
		s = s.with(t)
	}
	return s
}
