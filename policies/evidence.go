package policies

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"advisor/trace"
)

// evidence is how much the facts of a workload's containers can be trusted.
func evidence(replicas []*container, obs *Observation) Evidence {
	e := Evidence{Replicas: len(replicas), Restarts: restarts(replicas), Complete: trace.CompleteTrue}
	losses := make(map[lossKey]uint64)
	traces := make(map[string]bool)
	for _, seg := range segmentsOf(replicas) {
		e.span(seg)
		traces[seg.source.name] = true
		for key, count := range lost(seg, replicas) {
			losses[key] += count
		}
	}
	for _, c := range replicas {
		e.addContainer(c)
	}
	e.Traces = len(traces)
	e.addLosses(losses)
	e.addFacts(obs)
	if e.Late > 0 && e.Late == e.Replicas {
		e.Complete = worse(e.Complete, trace.CompleteUnknown)
	}
	e.Nodes, e.Kernels = sortedSet(e.Nodes), sortedSet(e.Kernels)
	e.Off, e.Notes = sortedSet(e.Off), sortedSet(e.Notes)
	return e
}

// segmentsOf are the segments that speak of any of the containers, once each.
func segmentsOf(replicas []*container) []*segment {
	set := make(map[*segment]bool)
	for _, c := range replicas {
		for _, seg := range c.segments {
			set[seg] = true
		}
	}
	return slices.SortedFunc(maps.Keys(set), compareSegments)
}

// lost are the losses of a segment that touch any of the containers.
func lost(seg *segment, replicas []*container) map[lossKey]uint64 {
	all := make(map[lossKey]uint64)
	for _, c := range replicas {
		if seg.containers[c.key.id] == c {
			maps.Copy(all, seg.lost(c.key.id))
		}
	}
	return all
}

// span takes in what a segment says of itself.
func (e *Evidence) span(seg *segment) {
	e.Start = earlier(e.Start, seg.header.Start)
	e.End = later(e.End, seg.header.Start)
	if seg.end != nil {
		e.End = later(e.End, seg.end.Time)
	}
	if seg.header.Node != "" {
		e.Nodes = append(e.Nodes, seg.header.Node)
	}
	if seg.header.Kernel != "" {
		e.Kernels = append(e.Kernels, seg.header.Kernel)
	}
	e.Off = append(e.Off, seg.off()...)
	e.Notes = append(e.Notes, seg.notes()...)
}

func (e *Evidence) addContainer(c *container) {
	for _, seg := range c.segments {
		e.Complete = worse(e.Complete, seg.complete(seg.lost(c.key.id)))
	}
	for _, exit := range c.exits {
		e.End = later(e.End, exit.Time)
	}
	if c.late() {
		e.Late++
	}
	if c.flagged(trace.FlagSampled) {
		e.Sampled++
	}
	if c.flagged(trace.FlagIncomplete) || c.lost() {
		e.Incomplete++
		e.Complete = trace.CompleteFalse
	}
	if _, ok := c.record(); !ok {
		e.Notes = append(e.Notes, fmt.Sprintf("no trace says what container %s is", c.key.id))
	}
}

func (e *Evidence) addLosses(losses map[lossKey]uint64) {
	for key, count := range losses {
		if !key.evidenceOnly {
			e.Lost += count
		}
		e.Losses = append(e.Losses, trace.Loss{
			Probe: key.probe, Stage: key.stage, Reason: key.reason, Container: key.container,
			Count: count, EvidenceOnly: key.evidenceOnly,
		})
	}
	slices.SortFunc(e.Losses, compareLosses)
}

func compareLosses(a, b trace.Loss) int {
	return cmp.Or(strings.Compare(a.Probe, b.Probe), strings.Compare(a.Stage, b.Stage),
		strings.Compare(a.Reason, b.Reason), strings.Compare(a.Container, b.Container),
		compareBools(a.EvidenceOnly, b.EvidenceOnly))
}

// miss counts facts of which there are occurrences and no record.
func (e *Evidence) miss(n uint64) {
	e.Lost += n
	e.Losses = append(e.Losses, trace.Loss{
		Probe: "counts", Stage: "record", Count: n, Reason: "counted, but no record says what it was",
	})
	slices.SortFunc(e.Losses, compareLosses)
	e.Complete = trace.CompleteFalse
}

// addFacts widens the span to the facts, and finds the last new one.
func (e *Evidence) addFacts(o *Observation) {
	for _, f := range o.Syscalls {
		e.sight(f.First)
	}
	for _, f := range o.Capabilities {
		e.sight(f.First)
	}
	for _, f := range o.Connects {
		e.sight(f.First)
	}
	for _, f := range o.Accepts {
		e.sight(f.First)
	}
	for _, f := range o.Listens {
		e.sight(f.First)
	}
	for _, f := range o.Denied {
		e.sight(f.First)
	}
	for _, f := range o.Execs {
		e.sight(f.First)
	}
	for _, f := range o.Files {
		e.sight(f.First)
	}
}

func (e *Evidence) sight(s trace.Sighting) {
	e.Start = earlier(e.Start, s.Time)
	e.End = later(e.End, s.Time)
	e.LastNew = later(e.LastNew, s.Time)
}

// restarts is how often a container of the workload started on a node after
// another of it, or itself, had ended there. Each end accounts for one start.
func restarts(replicas []*container) int {
	type place struct{ node, boot, trace string }
	starts, ends := make(map[place][]int64), make(map[place][]int64)
	for _, c := range replicas {
		at := place{c.key.node, c.key.boot, c.key.trace}
		starts[at] = slices.AppendSeq(starts[at], maps.Keys(c.started))
		for _, exit := range c.exits {
			if !exit.Time.IsZero() {
				ends[at] = append(ends[at], exit.Time.UnixNano())
			}
		}
	}
	n := 0
	for at := range starts {
		n += startsAfter(starts[at], ends[at])
	}
	return n
}

func startsAfter(starts, ends []int64) int {
	slices.Sort(starts)
	slices.Sort(ends)
	n := 0
	for _, start := range starts {
		if n < len(ends) && ends[n] <= start {
			n++
		}
	}
	return n
}
