package policies

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"advisor/trace"
)

// maxComms bounds [Seen.Comms]. The first in order are kept, so that it does
// not matter who came first.
const maxComms = 8

// tally is the evidence of each fact of one kind.
type tally[K comparable] map[K]*Seen

// note adds one sighting of a fact in one container.
func (t tally[K]) note(key K, s trace.Sighting) {
	seen, ok := t[key]
	if !ok {
		t[key] = &Seen{First: s, Containers: 1, Comms: comms(s)}
		return
	}
	seen.note(s)
}

func comms(s trace.Sighting) []string {
	if s.Comm == "" {
		return nil
	}
	return []string{s.Comm}
}

// join adds what one container saw, with its occurrences where they were counted.
func (t tally[K]) join(from tally[K], counts map[K]uint64) {
	for key, seen := range from {
		sum, ok := t[key]
		if !ok {
			sum = &Seen{First: seen.First}
			t[key] = sum
		}
		sum.join(seen, counts[key])
	}
}

func (s *Seen) note(sighting trace.Sighting) {
	if compareSightings(sighting, s.First) < 0 {
		s.First = sighting
	}
	s.addComm(sighting.Comm)
}

func (s *Seen) join(o *Seen, count uint64) {
	if compareSightings(o.First, s.First) < 0 {
		s.First = o.First
	}
	s.Containers++
	s.Count += count
	for _, comm := range o.Comms {
		s.addComm(comm)
	}
}

func (s *Seen) addComm(comm string) {
	if comm == "" {
		return
	}
	at, ok := slices.BinarySearch(s.Comms, comm)
	if ok || at == maxComms {
		return
	}
	s.Comms = slices.Insert(s.Comms, at, comm)
	s.Comms = s.Comms[:min(len(s.Comms), maxComms)]
}

// compareSightings puts the earlier first and those of unknown time last. What
// is equally early has an order too, for the sake of equal results.
func compareSightings(a, b trace.Sighting) int {
	return cmp.Or(
		compareTimes(a.Time, b.Time),
		cmp.Compare(a.PID, b.PID),
		strings.Compare(a.Comm, b.Comm),
		strings.Compare(a.Exe, b.Exe),
	)
}

func compareTimes(a, b time.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b)
}

// earlier and later fold times, the zero time being none.
func earlier(a, b time.Time) time.Time {
	if compareTimes(b, a) < 0 {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
