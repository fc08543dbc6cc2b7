// Package portset is sets of destination ports per protocol: sorted disjoint
// intervals on 1 to 65535 for each of TCP, UDP and SCTP, the three protocols a
// NetworkPolicy can name. Everything else, ICMP for one, is outside.
//
// A Set is a value; no operation changes its operands. The zero Set is empty.
package portset

import (
	"fmt"
	"slices"
	"strings"
)

// Interval is the ports First to Last, both included.
type Interval struct{ First, Last int }

const (
	minPort = 1
	maxPort = 65535
)

// protocols in the order in which a Set is printed.
var protocols = [...]string{"SCTP", "TCP", "UDP"}

// Protocols are the three that a Set has ports of, sorted.
func Protocols() []string { return protocols[:] }

// Set is a set of (protocol, port), in its one normal form: intervals of a
// protocol are sorted, disjoint and not adjacent.
type Set struct{ ports [len(protocols)][]Interval }

// All is every port of every protocol.
func All() Set {
	var s Set
	for i := range s.ports {
		s.ports[i] = []Interval{{minPort, maxPort}}
	}
	return s
}

// Of is the ports first to last of one protocol. What is outside 1 to 65535,
// and a protocol that is none of the three, yields nothing.
func Of(protocol string, first, last int) Set {
	var s Set
	first, last = max(first, minPort), min(last, maxPort)
	if i := slices.Index(protocols[:], protocol); i >= 0 && first <= last {
		s.ports[i] = []Interval{{first, last}}
	}
	return s
}

// Protocol is every port of one protocol.
func Protocol(protocol string) Set { return Of(protocol, minPort, maxPort) }

// Empty says that the set holds nothing.
func (s Set) Empty() bool {
	for _, intervals := range s.ports {
		if len(intervals) > 0 {
			return false
		}
	}
	return true
}

// Equal says that both sets hold the same ports.
func (s Set) Equal(o Set) bool {
	for i := range s.ports {
		if !slices.Equal(s.ports[i], o.ports[i]) {
			return false
		}
	}
	return true
}

// IsAll says that the set holds every port of every protocol.
func (s Set) IsAll() bool { return s.Equal(All()) }

// Contains says whether the set holds the port.
func (s Set) Contains(protocol string, port int) bool {
	for _, in := range s.Intervals(protocol) {
		if in.First <= port && port <= in.Last {
			return true
		}
	}
	return false
}

// Intervals is the ports of one protocol, sorted.
func (s Set) Intervals(protocol string) []Interval {
	if i := slices.Index(protocols[:], protocol); i >= 0 {
		return s.ports[i]
	}
	return nil
}

// Union is the ports of either.
func (s Set) Union(o Set) Set {
	var u Set
	for i := range u.ports {
		u.ports[i] = merge(slices.Concat(s.ports[i], o.ports[i]))
	}
	return u
}

// merge brings intervals into normal form, in place.
func merge(intervals []Interval) []Interval {
	slices.SortFunc(intervals, func(a, b Interval) int { return a.First - b.First })
	var merged []Interval
	for _, in := range intervals {
		last := len(merged) - 1
		if last >= 0 && in.First <= merged[last].Last+1 {
			merged[last].Last = max(merged[last].Last, in.Last)
			continue
		}
		merged = append(merged, in)
	}
	return merged
}

// Intersect is the ports of both.
func (s Set) Intersect(o Set) Set {
	var r Set
	for p := range r.ports {
		a, b := s.ports[p], o.ports[p]
		for i, j := 0, 0; i < len(a) && j < len(b); {
			first, last := max(a[i].First, b[j].First), min(a[i].Last, b[j].Last)
			if first <= last {
				r.ports[p] = append(r.ports[p], Interval{first, last})
			}
			if a[i].Last < b[j].Last {
				i++
			} else {
				j++
			}
		}
	}
	return r
}

// Minus is the ports of s that are not in o.
func (s Set) Minus(o Set) Set { return s.Intersect(o.complement()) }

func (s Set) complement() Set {
	var c Set
	for p, intervals := range s.ports {
		next := minPort
		for _, in := range intervals {
			if next < in.First {
				c.ports[p] = append(c.ports[p], Interval{next, in.First - 1})
			}
			next = in.Last + 1
		}
		if next <= maxPort {
			c.ports[p] = append(c.ports[p], Interval{next, maxPort})
		}
	}
	return c
}

// String is the set as the np-guard tools write it: "All Connections", "No
// Connections", or "TCP 80,443,8000-8010,UDP 53".
func (s Set) String() string {
	if s.IsAll() {
		return "All Connections"
	}
	var parts []string
	for i, intervals := range s.ports {
		if len(intervals) > 0 {
			parts = append(parts, protocols[i]+" "+join(intervals))
		}
	}
	if len(parts) == 0 {
		return "No Connections"
	}
	return strings.Join(parts, ",")
}

func join(intervals []Interval) string {
	parts := make([]string, len(intervals))
	for i, in := range intervals {
		parts[i] = in.String()
	}
	return strings.Join(parts, ",")
}

// String is "80" or "8000-8010".
func (in Interval) String() string {
	if in.First == in.Last {
		return fmt.Sprint(in.First)
	}
	return fmt.Sprintf("%d-%d", in.First, in.Last)
}

// Len is how many ports of all protocols the set holds.
func (s Set) Len() int {
	n := 0
	for _, intervals := range s.ports {
		for _, in := range intervals {
			n += in.Last - in.First + 1
		}
	}
	return n
}

// Cover is the smallest set that holds s in at most count intervals of each
// protocol: the widest gaps stay open.
func (s Set) Cover(count int) Set {
	var c Set
	for p, intervals := range s.ports {
		c.ports[p] = cover(intervals, count)
	}
	return c
}

func cover(intervals []Interval, count int) []Interval {
	if len(intervals) <= count {
		return intervals
	}
	after := make([]int, len(intervals)-1) // indexes of the gaps, widest first
	for i := range after {
		after[i] = i
	}
	gap := func(i int) int { return intervals[i+1].First - intervals[i].Last }
	slices.SortStableFunc(after, func(a, b int) int { return gap(b) - gap(a) })
	open := after[:count-1]
	slices.Sort(open)
	var out []Interval
	first := 0
	for _, i := range open {
		out = append(out, Interval{intervals[first].First, intervals[i].Last})
		first = i + 1
	}
	return append(out, Interval{intervals[first].First, intervals[len(intervals)-1].Last})
}
