package words

import (
	"math/rand/v2"
	"testing"
)

// TestAgainstBruteForce compares with trying every value of a small word.
func TestAgainstBruteForce(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		const top = 63
		c := All().Between(5, 0, top)
		var tests []Test
		for range rng.IntN(7) {
			test := randomTest(rng)
			tests = append(tests, test)
			want := least(tests, top)
			var ok bool
			c, ok = c.With(test)
			if ok != (want >= 0) {
				t.Fatalf("%v: satisfiable %v, want %v", tests, ok, want >= 0)
			}
			if !ok {
				break
			}
			if got := c.Witness()[5]; int(got) != want {
				t.Fatalf("%v: least %d, want %d", tests, got, want)
			}
			checkDecide(t, c, tests, randomTest(rng), top)
		}
	}
}

func checkDecide(t *testing.T, c Cube, tests []Test, ask Test, top int) {
	t.Helper()
	yes := least(append(tests[:len(tests):len(tests)], ask), top) >= 0
	no := least(append(tests[:len(tests):len(tests)], ask.Negated()), top) >= 0
	value, decided := c.Decide(ask)
	if decided == (yes && no) || decided && value != yes {
		t.Fatalf("%v under %v: %v %v, want yes %v no %v", ask, tests, value, decided, yes, no)
	}
}

func least(tests []Test, top int) int {
	for v := 0; v <= top; v++ {
		all := true
		for _, test := range tests {
			all = all && test.Holds(uint32(v))
		}
		if all {
			return v
		}
	}
	return -1
}

func randomTest(rng *rand.Rand) Test {
	return Test{
		Word: 5, Op: Op(rng.IntN(3)), Not: rng.IntN(2) == 0,
		Mask: uint32(rng.IntN(64)) | uint32(rng.IntN(2))<<31, Value: uint32(rng.IntN(66)),
	}
}

// TestWholeRange has the ends of a word, where sums overflow.
func TestWholeRange(t *testing.T) {
	const end = ^uint32(0)
	for _, tt := range []struct {
		tests []Test
		want  uint32
		ok    bool
	}{
		{[]Test{{Op: Greater, Value: end}}, 0, false},
		{[]Test{{Op: AtLeast, Value: end}}, end, true},
		{[]Test{{Op: AtLeast, Value: 0, Not: true}}, 0, false},
		{[]Test{{Op: AtLeast, Value: end}, {Op: Equal, Mask: 1, Value: 1, Not: true}}, 0, false},
		{[]Test{{Op: Equal, Mask: end, Value: 0, Not: true}}, 1, true},
		{[]Test{{Op: Equal, Mask: 0xffff0000, Value: 0, Not: true}}, 0x10000, true},
		{[]Test{{Op: Equal, Mask: 1, Value: 2}}, 0, false},
	} {
		c, ok := All(), true
		for _, test := range tt.tests {
			if ok {
				c, ok = c.With(test)
			}
		}
		if ok != tt.ok || ok && c.Witness()[0] != tt.want {
			t.Errorf("%v: %v %d, want %v %d", tt.tests, ok, c.Witness()[0], tt.ok, tt.want)
		}
	}
}

// TestPatternsThatCoverAll has patterns that together leave nothing, which
// jumping over them one by one would not find out before the end of the word.
func TestPatternsThatCoverAll(t *testing.T) {
	c, ok := All().With(Test{Mask: 2, Value: 2})
	for _, value := range []uint32{2, 3} {
		if !ok {
			t.Fatal("empty too early")
		}
		c, ok = c.With(Test{Mask: 3, Value: value, Not: true})
	}
	if ok {
		t.Errorf("%d is left", c.Witness()[0])
	}
}

// TestNeeded: the tests that are left say the same as all of them, and none of
// them follows from the others.
func TestNeeded(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	fewer := 0
	for range 5000 {
		c := All()
		for range 1 + rng.IntN(6) {
			if next, ok := c.With(randomTest(rng)); ok {
				c = next
			}
		}
		list := c.Needed(5)
		if len(list) < len(c.Tests()) {
			fewer++
		}
		same := All()
		for i, test := range list {
			next, ok := same.With(test)
			if !ok || len(next.Tests()) != i+1 {
				t.Fatalf("%v of %v: %v says nothing", list, c.Tests(), test)
			}
			same = next
		}
		for _, test := range c.Tests() {
			if holds, decided := same.Decide(test); !decided || !holds {
				t.Fatalf("%v does not say %v", list, test)
			}
		}
		for i, test := range list {
			rest := All()
			for j, other := range list {
				if i != j {
					rest, _ = rest.With(other)
				}
			}
			if _, decided := rest.Decide(test); decided {
				t.Fatalf("%v: %v follows from the others", list, test)
			}
		}
	}
	if fewer < 100 {
		t.Errorf("only %d of 5000 got shorter", fewer)
	}
}
