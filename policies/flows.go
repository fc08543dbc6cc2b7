package policies

import (
	"cmp"
	"slices"
	"strings"

	"advisor/trace"
)

// maxSamples bounds [Connect.Samples].
const maxSamples = 64

// flows is the evidence of each flow of one kind.
type flows[K comparable] map[K]*flow

// flow is the evidence of one flow, with samples of what differs between its
// connections.
type flow struct {
	Seen
	samples  []sample // the first is that of the first sighting
	existing bool     // in all sightings
}

// sample is the first connection that a segment saw.
type sample struct {
	Sample
	seen trace.Sighting
	seg  *segment
}

// note adds one sighting of a flow in one container.
func (f flows[K]) note(key K, at sample, existing bool) {
	have, ok := f[key]
	if !ok {
		seen := Seen{First: at.seen, Containers: 1, Comms: comms(at.seen)}
		f[key] = &flow{seen, []sample{at}, existing}
		return
	}
	have.Seen.note(at.seen)
	have.existing = have.existing && existing
	have.keep(at)
}

// keep keeps the earlier of two samples of one segment.
func (f *flow) keep(at sample) {
	i := slices.IndexFunc(f.samples, func(s sample) bool { return s.seg == at.seg })
	switch {
	case i < 0:
		f.samples = append(f.samples, at)
	case compareSamples(at, f.samples[i]) < 0:
		f.samples[i] = at
	}
}

// in are the flows of one container with the id that it goes by.
func (f flows[K]) in(id string) flows[K] {
	renamed := make(flows[K], len(f))
	for key, have := range f {
		if have.samples[0].Container == id {
			return f // as of all its flows
		}
		one := *have
		one.samples = slices.Clone(have.samples)
		for i := range one.samples {
			one.samples[i].Container = id
		}
		renamed[key] = &one
	}
	return renamed
}

func (f flows[K]) join(from flows[K], counts map[K]uint64) {
	for key, part := range from {
		sum, ok := f[key]
		if !ok {
			sum = &flow{Seen: Seen{First: part.First}, existing: part.existing}
			f[key] = sum
		}
		sum.Seen.join(&part.Seen, counts[key])
		sum.existing = sum.existing && part.existing
		sum.samples = earliest(append(sum.samples, part.samples...))
	}
}

// earliest are the first samples, each once. What two segments both tell, such
// as one that repeats what the one before knew, is one sample.
func earliest(list []sample) []sample {
	slices.SortFunc(list, compareSamples)
	list = slices.CompactFunc(list, func(a, b sample) bool { return compareSamples(a, b) == 0 })
	return list[:min(len(list), maxSamples)]
}

func compareSamples(a, b sample) int {
	return cmp.Or(
		compareSightings(a.seen, b.seen),
		strings.Compare(a.Container, b.Container),
		strings.Compare(a.Node, b.Node),
		strings.Compare(a.Address, b.Address),
		cmp.Compare(a.Port, b.Port),
	)
}

// told are the samples as an observation has them.
func (f *flow) told() []Sample {
	list := make([]Sample, len(f.samples))
	for i, s := range f.samples {
		list[i] = s.Sample
	}
	return list
}

func (f flows[K]) seen() tally[K] {
	t := make(tally[K], len(f))
	for key, flow := range f {
		t[key] = &flow.Seen
	}
	return t
}
