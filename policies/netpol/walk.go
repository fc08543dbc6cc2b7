package netpol

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
)

// walker goes through all ordered pairs of entities, in as many goroutines as
// there are processors.
type walker struct {
	*universe
	tables  []*table
	ports   *portTable
	admit   []*admission // by table
	virtual int          // the first entity that is a peer only, and nobody in the inventories
}

func newWalker(sets []Set, dialect Dialect) *walker {
	return walkerOf(newUniverse(sets, dialect, false))
}

func walkerOf(u *universe) *walker {
	w := &walker{universe: u, ports: newPortTable()}
	for w.virtual < w.first && (w.entities[w.virtual].peer.Symbolic == "" || w.entities[w.virtual].subject) {
		w.virtual++
	}
	for i := range u.sets {
		w.tables = append(w.tables, w.compile(i, w.ports))
		w.admit = append(w.admit, w.newAdmission(i))
	}
	return w
}

// connection is what each table allows from one entity to another.
type connection struct {
	source, destination int32
	ports               [2]int32 // by table
}

// pairs returns the pairs that keep wants, sorted. Pairs that no table allows
// anything on may be left out. keep must be safe for concurrent use.
func (w *walker) pairs(keep func(c connection) bool) []connection {
	return w.pairsOf(func() func(c connection) bool { return keep })
}

// pairsOf is pairs with a keep for each goroutine.
func (w *walker) pairsOf(newKeep func() func(c connection) bool) []connection {
	var mu sync.Mutex
	var all []connection
	next := make(chan int)
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		row := w.newRow(newKeep())
		group.Go(func() {
			for source := range next {
				row.walk(source)
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, row.found...)
		})
	}
	for source := range w.second { // those behind are destinations only
		next <- source
	}
	close(next)
	group.Wait()
	slices.SortFunc(all, func(a, b connection) int {
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.destination, b.destination))
	})
	return all
}

// row is the work for one source after the other.
type row struct {
	*walker
	memo *memo
	keep func(c connection) bool
	// By table and destination: what egress of the source and ingress of the
	// destination allow.
	egress, ingress [2][]int32
	found           []connection
	// reachable is scratch space of reach.
	reachable bitset
}

func (w *walker) newRow(keep func(c connection) bool) *row {
	r := &row{walker: w, memo: w.ports.memo(), keep: keep, reachable: newBitset(len(w.entities))}
	for i := range w.tables {
		r.egress[i] = make([]int32, len(w.entities))
		r.ingress[i] = make([]int32, len(w.entities))
	}
	return r
}

func (r *row) walk(source int) {
	for i := range r.tables {
		r.fillEgress(i, source)
		r.admit[i].fill(r.memo, r.ingress[i], source)
	}
	if source >= r.virtual {
		// Two ends that are both in no inventory mean nothing.
		r.visitAll(source, 0, r.virtual)
		return
	}
	if reach := r.reach(source); reach != nil {
		reach.each(func(d int) {
			if d < r.first || d >= r.second {
				r.visit(source, d)
			}
		})
		return
	}
	r.visitAll(source, 0, r.first)
	r.visitAll(source, r.second, len(r.entities))
}

func (r *row) visitAll(source, from, to int) {
	for d := from; d < to; d++ {
		r.visit(source, d)
	}
}

// visit judges one pair. A single pod does not talk to itself.
func (r *row) visit(source, destination int) {
	if source == destination && !r.entities[source].many {
		return
	}
	c := connection{source: int32(source), destination: int32(destination)}
	for i := range r.tables {
		c.ports[i] = r.memo.intersect(r.egress[i][destination], r.ingress[i][destination])
	}
	if r.keep(c) {
		r.found = append(r.found, c)
	}
}

// reach is the destinations that egress of the source allows anything to in
// some table, or nil for all: where a source is isolated in every table, those
// are few.
func (r *row) reach(source int) bitset {
	clear(r.reachable)
	for _, t := range r.tables {
		s := &t.subjects[egressIndex][source]
		if !s.isolated {
			return nil
		}
		for _, term := range s.terms {
			r.reachable.or(term.peers)
		}
	}
	return r.reachable
}

// fillEgress computes what egress at the source allows to each destination:
// nothing where the source is not there.
func (r *row) fillEgress(i, source int) {
	egress := r.egress[i]
	isolated := source < r.first && r.tables[i].subjects[egressIndex][source].isolated
	start := allPorts
	if isolated || !r.present(i, source) {
		start = noPorts
	}
	for d := range egress {
		egress[d] = start
	}
	if !isolated || !r.present(i, source) {
		return
	}
	for _, t := range r.tables[i].subjects[egressIndex][source].terms {
		t.peers.each(func(d int) { egress[d] = r.memo.union(egress[d], t.ports) })
	}
}

func (w *walker) present(i, entity int) bool {
	return entity >= w.first || w.entities[entity].sides[i].present
}
