package portset

import (
	"math/rand/v2"
	"testing"
)

func TestString(t *testing.T) {
	for _, tt := range []struct {
		set  Set
		want string
	}{
		{Set{}, "No Connections"},
		{All(), "All Connections"},
		{Of("TCP", 80, 80), "TCP 80"},
		{Of("TCP", 443, 443).Union(Of("TCP", 80, 80)), "TCP 80,443"},
		{Of("TCP", 80, 81).Union(Of("TCP", 82, 90)).Union(Of("UDP", 53, 53)), "TCP 80-90,UDP 53"},
		{Protocol("SCTP"), "SCTP 1-65535"},
		{All().Minus(Of("TCP", 80, 80)), "SCTP 1-65535,TCP 1-79,81-65535,UDP 1-65535"},
		{Of("TCP", 0, 70000), "TCP 1-65535"},
		{Of("ICMP", 1, 2), "No Connections"},
		{Of("TCP", 9, 8), "No Connections"},
	} {
		if got := tt.set.String(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// TestAgainstMembership holds each operation against what it does to single
// ports, on random sets.
func TestAgainstMembership(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		a, b := random(r), random(r)
		union, both, minus := a.Union(b), a.Intersect(b), a.Minus(b)
		for _, protocol := range Protocols() {
			for port := 1; port <= 70; port++ {
				inA, inB := a.Contains(protocol, port), b.Contains(protocol, port)
				if union.Contains(protocol, port) != (inA || inB) ||
					both.Contains(protocol, port) != (inA && inB) ||
					minus.Contains(protocol, port) != (inA && !inB) {
					t.Fatalf("%s %d: a %v, b %v: %v, %v, %v", protocol, port, a, b, union, both, minus)
				}
			}
		}
		if !a.Union(b).Equal(b.Union(a)) || !minus.Union(both).Equal(a) {
			t.Fatalf("a %v, b %v: not in normal form", a, b)
		}
	}
}

func random(r *rand.Rand) Set {
	var s Set
	for range r.IntN(5) {
		first := 1 + r.IntN(60)
		s = s.Union(Of(Protocols()[r.IntN(3)], first, first+r.IntN(8)))
	}
	if r.IntN(10) == 0 {
		s = s.Union(Protocol("TCP"))
	}
	return s
}
