package netpol

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// mostChanges is how many changed connections are listed one by one. Beyond it
// those of workloads that change alike are one line with their number: nobody reads
// more, and a list of millions takes gigabytes.
const mostChanges = 100_000

// bundle is what changes alike from one source.
type bundle struct {
	source int32
	ports  [2]int32
	to     []int32 // destinations, in order; nil where set has them
	set    bitset
	n      int
}

func (b *bundle) each(f func(destination int32)) {
	for _, d := range b.to {
		f(d)
	}
	b.set.each(func(d int) { f(int32(d)) })
}

// bundles gathers changes from all goroutines of a walk.
type bundles struct {
	mu  sync.Mutex
	all []*bundle
}

// collector gathers the changes of one goroutine, which walks one source after the
// other.
type collector struct {
	*bundles
	entities int
	source   int32
	byPorts  map[[2]int32]*bundle
}

func (b *bundles) collector(entities int) *collector {
	return &collector{bundles: b, entities: entities, source: -1}
}

func (c *collector) add(conn connection) {
	if conn.source != c.source {
		c.source, c.byPorts = conn.source, make(map[[2]int32]*bundle)
	}
	b := c.byPorts[conn.ports]
	if b == nil {
		b = &bundle{source: conn.source, ports: conn.ports}
		c.byPorts[conn.ports] = b
		c.mu.Lock()
		c.all = append(c.all, b)
		c.mu.Unlock()
	}
	b.n++
	if b.set != nil {
		b.set.add(int(conn.destination))
		return
	}
	if b.to = append(b.to, conn.destination); len(b.to) > c.entities/32 { // as many bits as a set has
		b.set = newBitset(c.entities)
		for _, d := range b.to {
			b.set.add(int(d))
		}
		b.to = nil
	}
}

// sorted are the bundles by source and ports.
func (b *bundles) sorted() []*bundle {
	slices.SortFunc(b.all, func(x, y *bundle) int {
		return cmp.Or(cmp.Compare(x.source, y.source), cmp.Compare(x.ports[0], y.ports[0]), cmp.Compare(x.ports[1], y.ports[1]))
	})
	return b.all
}

// listed are the changes of bundles one by one; where those between workloads are
// more than most, they are grouped.
func (w *walker) listed(all []*bundle, most int) []Change {
	var connections []connection
	var many []*bundle
	total := 0
	for _, b := range all {
		total += b.n
	}
	for _, b := range all {
		if total > most && int(b.source) < w.virtual {
			many = append(many, b)
		}
		b.each(func(d int32) {
			if total <= most || int(b.source) >= w.virtual || int(d) >= w.virtual {
				connections = append(connections, connection{b.source, d, b.ports})
			}
		})
	}
	slices.SortFunc(connections, func(a, b connection) int {
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.destination, b.destination))
	})
	return append(w.changes(connections), w.grouped(many)...)
}

// group is sources that all change alike with the same destinations.
type group struct {
	sources []int32
	to      []int32 // of which a source may be one itself
	ports   [2]int32
	pairs   int
}

// grouped are the changes between workloads, those of sources with the same
// destinations together. No connection is in two of them, and none in none.
func (w *walker) grouped(all []*bundle) []Change {
	count := make(map[groupKey]int)
	for _, b := range all {
		for _, key := range w.groupKeys(b) {
			count[key]++
		}
	}
	groups := make(map[groupKey]*group)
	var order []*group
	for _, b := range all {
		keys := w.groupKeys(b)
		if len(keys) == 0 {
			continue
		}
		key := keys[0]
		if len(keys) > 1 && count[keys[1]] > count[key] {
			key = keys[1]
		}
		g := groups[key]
		if g == nil {
			g = &group{ports: b.ports}
			groups[key] = g
			order = append(order, g)
		}
		to := w.workloadsOf(b)
		g.sources, g.pairs = append(g.sources, b.source), g.pairs+len(to)
		if i, found := slices.BinarySearch(to, b.source); !found && key != keys[0] && len(g.sources) > 1 {
			to = slices.Insert(to, i, b.source) // the others have it
		}
		if len(to) > len(g.to) {
			g.to = to
		}
	}
	changes := make([]Change, len(order))
	for i, g := range order {
		changes[i] = w.groupChange(g)
	}
	return changes
}

// groupKey tells destinations and ports apart.
type groupKey [sha256.Size]byte

// groupKeys are what a bundle may be grouped by: its destinations and, since a
// single pod has no connection with itself and would differ from others by that
// alone, the same with its source. There is none where no destination is a workload.
func (w *walker) groupKeys(b *bundle) []groupKey {
	to := w.workloadsOf(b)
	if len(to) == 0 {
		return nil
	}
	keys := []groupKey{keyOf(to, b.ports)}
	if i, found := slices.BinarySearch(to, b.source); !found && !w.entities[b.source].many {
		keys = append(keys, keyOf(slices.Insert(to, i, b.source), b.ports))
	}
	return keys
}

func keyOf(to []int32, ports [2]int32) groupKey {
	bytes := binary.LittleEndian.AppendUint32(bytesOf(to), uint32(ports[0]))
	return sha256.Sum256(binary.LittleEndian.AppendUint32(bytes, uint32(ports[1])))
}

// workloadsOf are the destinations that are workloads, in order.
func (w *walker) workloadsOf(b *bundle) []int32 {
	var to []int32
	b.each(func(d int32) {
		if int(d) < w.virtual {
			to = append(to, d)
		}
	})
	return to
}

func bytesOf(list []int32) []byte {
	var bytes []byte
	for _, n := range list {
		bytes = binary.LittleEndian.AppendUint32(bytes, uint32(n))
	}
	return bytes
}

func (w *walker) groupChange(g *group) Change {
	to := g.to
	c := Change{Kind: kindOfChange(g.ports), Source: w.together(g.sources), Destination: w.together(to),
		Before: w.ports.set(g.ports[0]), After: w.ports.set(g.ports[1]), Pairs: g.pairs}
	if g.pairs == 1 {
		c.Pairs, c.Info = 0, w.info(connection{g.sources[0], to[0], g.ports})
		return c
	}
	c.Info = fmt.Sprintf("%d connections; --workload lists those of one", g.pairs)
	return c
}

// together is several workloads as one peer: the first few by name, and how many.
func (w *walker) together(list []int32) Peer {
	if len(list) == 1 {
		return w.entities[list[0]].peer
	}
	const few = 3
	var names []string
	for _, i := range list[:min(few, len(list))] {
		names = append(names, w.entities[i].peer.String())
	}
	text := strings.Join(names, ", ")
	if more := len(list) - few; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return Peer{Symbolic: fmt.Sprintf("[%d workloads: %s]", len(list), text)}
}
