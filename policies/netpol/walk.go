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
	tables []*table
	ports  *portTable
}

func newWalker(sets []Set, dialect Dialect) *walker {
	w := &walker{universe: newUniverse(sets, dialect), ports: newPortTable()}
	for i := range sets {
		w.tables = append(w.tables, w.compile(i, w.ports))
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
	var mu sync.Mutex
	var all []connection
	next := make(chan int)
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			row := w.newRow(keep)
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
	memo   *memo
	keep   func(c connection) bool
	egress [2][]int32 // by table and destination
	found  []connection
	// reachable is scratch space of reach.
	reachable bitset
}

func (w *walker) newRow(keep func(c connection) bool) *row {
	r := &row{walker: w, memo: w.ports.memo(), keep: keep, reachable: newBitset(len(w.entities))}
	for i := range w.tables {
		r.egress[i] = make([]int32, len(w.entities))
	}
	return r
}

func (r *row) walk(source int) {
	for i := range r.tables {
		r.fillEgress(i, source)
	}
	if source >= r.first {
		r.visitAll(source, 0, r.first) // from address to address nobody asks
		return
	}
	if reach := r.reach(source); reach != nil {
		reach.each(func(d int) { r.visit(source, d) })
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

// visit judges one pair.
func (r *row) visit(source, destination int) {
	onlySource := destination >= r.first && destination < r.second
	if onlySource || r.skip(source, destination) {
		return
	}
	c := connection{source: int32(source), destination: int32(destination)}
	for i := range r.tables {
		c.ports[i] = r.allowed(i, source, destination)
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

// fillEgress computes what egress at the source allows to each destination.
func (r *row) fillEgress(i, source int) {
	egress := r.egress[i]
	start := allPorts
	if source < r.first && r.tables[i].subjects[egressIndex][source].isolated {
		start = noPorts
	}
	for d := range egress {
		egress[d] = start
	}
	if start == allPorts {
		return
	}
	for _, t := range r.tables[i].subjects[egressIndex][source].terms {
		t.peers.each(func(d int) { egress[d] = r.memo.union(egress[d], t.ports) })
	}
}

// skip leaves out pairs that mean nothing: a single pod with itself, and two
// ends that are both not in the manifests.
func (r *row) skip(source, destination int) bool {
	s, d := &r.entities[source], &r.entities[destination]
	if source == destination {
		return !s.many || s.peer.Symbolic != ""
	}
	virtual := func(i int, e *entity) bool { return i >= r.first || e.peer.Symbolic != "" }
	return virtual(source, s) && virtual(destination, d)
}

// allowed is what table i allows on the pair: nothing where one end is not
// there.
func (r *row) allowed(i, source, destination int) int32 {
	egress := r.egress[i][destination]
	if egress == noPorts || !r.present(i, source) || !r.present(i, destination) {
		return noPorts
	}
	return r.memo.intersect(egress, r.ingress(i, source, destination))
}

func (r *row) ingress(i, source, destination int) int32 {
	if destination >= r.first {
		return allPorts
	}
	s := &r.tables[i].subjects[ingressIndex][destination]
	if !s.isolated {
		return allPorts
	}
	ports := noPorts
	for _, t := range s.terms {
		if t.peers.has(source) {
			ports = r.memo.union(ports, t.ports)
		}
	}
	return ports
}

func (w *walker) present(i, entity int) bool {
	return entity >= w.first || w.entities[entity].sides[i].present
}
