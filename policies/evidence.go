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
	losses := newLossSum()
	traces := make(map[any]bool)
	for _, seg := range segmentsOf(replicas) {
		e.span(seg)
		traces[seg.trace()] = true
		losses.add(seg, lost(seg, replicas))
	}
	for _, c := range replicas {
		e.addContainer(c)
	}
	e.Traces = len(traces)
	e.addLosses(losses.total)
	e.addFacts(obs)
	if e.Late > 0 && e.Late == e.Replicas {
		e.Complete = worse(e.Complete, trace.CompleteUnknown)
	}
	if neverRan(obs) {
		e.Complete = worse(e.Complete, trace.CompleteUnknown)
		e.Notes = append(e.Notes, "no program of the workload was seen to run, only what starts its container")
	}
	e.Nodes, e.Kernels = sortedSet(e.Nodes), sortedSet(e.Kernels)
	e.Off, e.Notes = sortedSet(e.Off), sortedSet(e.Notes)
	return e
}

// neverRan tells whether all that was seen is the runtime's work: a program that is
// not there leaves such a recording, and policies of it let nothing run.
func neverRan(obs *Observation) bool {
	return len(obs.Syscalls) > 0 && !slices.ContainsFunc(obs.Syscalls, func(s Syscall) bool {
		return s.Phase != trace.PhaseStart
	})
}

// segmentsOf are the segments of the recordings that speak of any of the
// containers, once each.
func segmentsOf(replicas []*container) []*segment {
	set := make(map[*segment]bool)
	for _, c := range replicas {
		for _, seg := range c.recordings() {
			set[seg] = true
		}
	}
	return slices.SortedFunc(maps.Keys(set), compareSegments)
}

// lost are the losses of a segment that touch any of the containers.
func lost(seg *segment, replicas []*container) map[lossKey]uint64 {
	all := make(map[lossKey]uint64)
	for _, c := range replicas {
		if seg.containers[c.key.id] == c || seg.family != nil && slices.Contains(c.recordings(), seg) {
			maps.Copy(all, seg.lost(c.key.id))
		}
	}
	return all
}

// lossSum adds up losses. The segments of one recording count on where the one
// before stopped, so of those the most counts.
type lossSum struct {
	total map[lossKey]uint64
	most  map[any]map[lossKey]uint64 // by recording
}

func newLossSum() lossSum {
	return lossSum{make(map[lossKey]uint64), make(map[any]map[lossKey]uint64)}
}

func (l lossSum) add(seg *segment, losses map[lossKey]uint64) {
	if seg.header.Segment == 0 {
		for key, count := range losses {
			l.total[key] += count
		}
		return
	}
	if l.most[seg.trace()] == nil {
		l.most[seg.trace()] = make(map[lossKey]uint64)
	}
	most := l.most[seg.trace()]
	for key, count := range losses {
		if count > most[key] {
			l.total[key] += count - most[key]
			most[key] = count
		}
	}
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
	for _, seg := range c.recordings() {
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
	if seg := c.cut(); seg != nil {
		e.Complete = worse(e.Complete, trace.CompleteUnknown)
		e.Notes = append(e.Notes, fmt.Sprintf("%s: the recording goes on in a segment that is not here",
			seg.source.name))
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
