package netpol

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/policies/netpol/iprange"
	"advisor/policies/netpol/portset"
)

// ChangeKind is what happened to a connection or to a workload.
type ChangeKind string

// The kinds of change, headlines first.
const (
	Isolated    ChangeKind = "isolated"     // no policy selected the workload, now one does
	NotIsolated ChangeKind = "not isolated" // the other way round
	Added       ChangeKind = "added"
	Removed     ChangeKind = "removed"
	Changed     ChangeKind = "changed"
)

// Change is one difference between what two sets of policies allow.
type Change struct {
	Kind ChangeKind
	// Source and Destination are the ends of a connection. A change of isolation
	// has the workload in Source, and the Direction.
	Source, Destination Peer
	Direction           Direction
	Before, After       portset.Set
	// Pairs is how many connections a change of isolation alone took away, or
	// gave, or that change alike where there are too many to be listed one by one.
	Pairs int
	// Info names a workload that only one side has.
	Info string
}

// CompareOptions are the choices of [Compare].
type CompareOptions struct {
	Dialect Dialect
	// All lists also what a change of isolation explains.
	All bool
	// Concerns leaves out connections of which no end is a workload that is asked
	// for; nil asks for all.
	Concerns func(policies.Workload) bool
	most     int // of changes to be listed one by one, 0 for mostChanges
}

// Compare returns what b allows and a does not, and the reverse: over the
// workloads of both, all addresses, and a symbolic peer for each selector of a
// rule that may match pods which neither has. Differences in text alone give
// no change. What is not known of a pod, such as its address, matches nothing.
func Compare(a, b Set, opt CompareOptions) []Change {
	if opt.Dialect.Name == "" {
		opt.Dialect, _ = DialectOf("")
	}
	w := walkerOf(newUniverse([]Set{a, b}, opt.Dialect, true))
	explained := w.newTally()
	var found bundles
	asked := w.asked(opt.Concerns)
	w.pairsOf(func() func(c connection) bool {
		count, kept := explained.counter(), found.collector(len(w.entities))
		return func(c connection) bool {
			if c.ports[0] != c.ports[1] && (!count(c) || opt.All) && asked(c) {
				kept.add(c)
			}
			return false
		}
	})
	list := append(w.headlines(explained), w.listed(found.sorted(), cmp.Or(opt.most, mostChanges))...)
	sortChanges(list)
	return list
}

// asked says whether a connection has an end that is asked for.
func (w *walker) asked(concerns func(policies.Workload) bool) func(connection) bool {
	if concerns == nil {
		return func(connection) bool { return true }
	}
	ends := newBitset(len(w.entities))
	for i := range w.entities {
		if concerns(w.entities[i].peer.Workload) {
			ends.add(i)
		}
	}
	return func(c connection) bool { return ends.has(int(c.source)) || ends.has(int(c.destination)) }
}

func sortChanges(list []Change) { slices.SortStableFunc(list, compareChanges) }

func compareChanges(a, b Change) int {
	headline := func(c Change) int {
		if c.Direction != "" {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(headline(a), headline(b)), cmp.Compare(a.Kind, b.Kind),
		a.Source.Compare(b.Source), a.Destination.Compare(b.Destination),
		cmp.Compare(a.Direction, b.Direction))
}

// tally counts, for each entity whose isolation changed in a direction, the
// connections that this took away or gave as a whole.
type tally struct {
	*walker
	change [2][]ChangeKind // by direction and entity: of those on both sides
	counts [][2][]int      // of each counter
}

func (w *walker) newTally() *tally {
	t := &tally{walker: w}
	for d := range t.change {
		t.change[d] = make([]ChangeKind, len(w.entities))
		for i := range w.first {
			if w.inBoth(i) {
				t.change[d][i] = isolationChange(w.isolated(0, d, i), w.isolated(1, d, i))
			}
		}
	}
	return t
}

func isolationChange(before, after bool) ChangeKind {
	switch {
	case !before && after:
		return Isolated
	case before && !after:
		return NotIsolated
	}
	return ""
}

// counter says whether changes of isolation explain that a connection is gone
// or new as a whole, and counts. They never explain a change of ports. One
// counter is for one goroutine.
func (t *tally) counter() func(c connection) bool {
	var counts [2][]int
	for d := range counts {
		counts[d] = make([]int, len(t.entities))
	}
	t.counts = append(t.counts, counts)
	ingress, egress := t.change[ingressIndex], t.change[egressIndex]
	return func(c connection) bool {
		why := Isolated
		if c.ports[0] == noPorts {
			why = NotIsolated
		} else if c.ports[1] != noPorts {
			return false
		}
		in, out := ingress[c.destination] == why, egress[c.source] == why
		if t.spokenFor(c.source) || t.spokenFor(c.destination) {
			return in || out // a workload is counted that is as good
		}
		if in {
			counts[ingressIndex][c.destination]++
		}
		if out {
			counts[egressIndex][c.source]++
		}
		return in || out
	}
}

// explained is how many connections a change of isolation explains.
func (t *tally) explained(direction, entity int) int {
	n := 0
	for _, counts := range t.counts {
		n += counts[direction][entity]
	}
	return n
}

// inBoth says that the entity is a workload, or symbolic, on both sides.
func (w *walker) inBoth(i int) bool {
	return i < w.first && w.present(0, i) && w.present(1, i)
}

// headlines lists the workloads that both sides have and only one isolates.
func (w *walker) headlines(t *tally) []Change {
	var list []Change
	for i := range w.first {
		e := &w.entities[i]
		if e.peer.Symbolic != "" && !e.subject || !w.inBoth(i) {
			continue
		}
		for index, d := range []Direction{ingressIndex: Ingress, egressIndex: Egress} {
			if kind := t.change[index][i]; kind != "" && !(w.spokenFor(int32(i)) && t.change[index][e.like] == kind) {
				list = append(list, Change{Kind: kind, Source: e.peer, Direction: d, Pairs: t.explained(index, i)})
			}
		}
	}
	return list
}

func (w *walker) isolated(table, direction, entity int) bool {
	return w.tables[table].subjects[direction][entity].isolated
}

// changes turns pairs into changes, with the addresses that change alike as
// ranges.
func (w *walker) changes(list []connection) []Change {
	var changes []Change
	for _, e := range w.expand(list) {
		changes = append(changes, Change{Kind: kindOfChange(e.ports), Source: e.source, Destination: e.destination,
			Before: w.ports.set(e.ports[0]), After: w.ports.set(e.ports[1]), Info: w.info(e.connection)})
	}
	return changes
}

func kindOfChange(ports [2]int32) ChangeKind {
	switch noPorts {
	case ports[0]:
		return Added
	case ports[1]:
		return Removed
	}
	return Changed
}

// info names the ends that only one side has.
func (w *walker) info(c connection) string {
	var parts []string
	for _, i := range []int32{c.source, c.destination} {
		e := int(i)
		switch {
		case !w.present(0, e):
			parts = append(parts, "workload "+w.entities[e].peer.String()+" added")
		case !w.present(1, e):
			parts = append(parts, "workload "+w.entities[e].peer.String()+" removed")
		}
	}
	return strings.Join(parts, ", ")
}

// expanded is a connection with its ends as people read them.
type expanded struct {
	connection
	source, destination Peer
}

// expand names the ends, and merges addresses that are alike on a pair.
func (w *walker) expand(list []connection) []expanded {
	list = w.withoutAlike(list)
	var out []expanded
	ranges := make(map[connection][]iprange.Range)
	for _, c := range list {
		switch {
		case int(c.source) >= w.first:
			key := connection{-1, c.destination, c.ports}
			ranges[key] = append(ranges[key], w.entities[c.source].ranges...)
		case int(c.destination) >= w.first:
			key := connection{c.source, -1, c.ports}
			ranges[key] = append(ranges[key], w.entities[c.destination].ranges...)
		default:
			out = append(out, expanded{c, w.entities[c.source].peer, w.entities[c.destination].peer})
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(ranges), compareConnections) {
		for _, r := range iprange.Merge(ranges[key]) {
			e := expanded{connection: key, source: Peer{Range: r}, destination: Peer{Range: r}}
			if key.source >= 0 {
				e.source = w.entities[key.source].peer
				e.connection.destination = int32(w.first)
			} else {
				e.destination = w.entities[key.destination].peer
				e.connection.source = int32(w.first)
			}
			out = append(out, e)
		}
	}
	return out
}

func compareConnections(a, b connection) int {
	return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.destination, b.destination),
		cmp.Compare(a.ports[0], b.ports[0]), cmp.Compare(a.ports[1], b.ports[1]))
}
