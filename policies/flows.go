package policies

import (
	"cmp"
	"strings"

	"advisor/trace"
)

// flows is the evidence of each flow of one kind.
type flows[K comparable] map[K]*flow

// flow is the evidence of one flow, with a sample of what differs between its
// connections: that of the first sighting, which both ends are likely to share.
type flow struct {
	Seen
	sample
}

type sample struct {
	container string
	address   string // local
	port      int    // the ephemeral one
	existing  bool   // in all sightings
}

func (f flows[K]) note(key K, s trace.Sighting, at sample) {
	have, ok := f[key]
	if !ok {
		f[key] = &flow{Seen{First: s, Containers: 1, Comms: comms(s)}, at}
		return
	}
	have.pick(s, at)
	have.Seen.note(s)
}

func (f flows[K]) join(from flows[K], counts map[K]uint64) {
	for key, flow1 := range from {
		sum, ok := f[key]
		if !ok {
			sum = &flow{Seen{First: flow1.First}, flow1.sample}
			f[key] = sum
		}
		sum.pick(flow1.First, flow1.sample)
		sum.Seen.join(&flow1.Seen, counts[key])
	}
}

// pick keeps the sample of the earlier sighting.
func (f *flow) pick(s trace.Sighting, at sample) {
	existing := f.existing && at.existing
	if cmp.Or(compareSightings(s, f.First), compareSamples(at, f.sample)) < 0 {
		f.sample = at
	}
	f.existing = existing
}

func compareSamples(a, b sample) int {
	return cmp.Or(
		strings.Compare(a.container, b.container),
		strings.Compare(a.address, b.address),
		cmp.Compare(a.port, b.port),
	)
}

func (f flows[K]) seen() tally[K] {
	t := make(tally[K], len(f))
	for key, flow := range f {
		t[key] = &flow.Seen
	}
	return t
}
