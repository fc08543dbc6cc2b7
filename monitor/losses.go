package monitor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"advisor/bpf"
	"advisor/trace"
)

// Ways to lose something, in the order they are told in.
const (
	lostSlots = iota
	lostCalls
	lostArgs
	lostCaps
	lostNets
	lostSockets
	lostFiles
	lostSCTP
	lostRefusals
	lostMissed
	// What follows costs evidence and no fact.
	lostLasts
	lostEvents
	lostExes
	lostOutcomes
	lostCounts
	lossKinds
)

// lossCounts is how much was lost in each way.
type lossCounts [lossKinds]uint64

func (c lossCounts) plus(d lossCounts) lossCounts {
	for i := range c {
		c[i] += d[i]
	}
	return c
}

// over is what c has more than d.
func (c lossCounts) over(d lossCounts) lossCounts {
	for i := range c {
		c[i] -= min(c[i], d[i])
	}
	return c
}

// allLost is what the kernel lost of all containers, and for how many events it
// passed over a probe.
func allLost(l bpf.RecorderLosses, missed uint64) lossCounts {
	return lossCounts{
		lostSlots: l.Slots, lostCalls: l.Calls, lostArgs: l.Args, lostCaps: l.Caps,
		lostNets: l.Nets, lostSockets: l.Sockets, lostFiles: l.Files, lostSCTP: l.Sctp, lostRefusals: l.Refusals,
		lostLasts: l.Lasts, lostEvents: l.Events, lostExes: l.Exes, lostOutcomes: l.Outcomes,
		lostCounts: l.Counts, lostMissed: missed,
	}
}

// spaceLosses is what the kernel lost of one namespace.
type spaceLosses struct {
	now    lossCounts
	before lossCounts // in slots that were emptied meanwhile
	told   lossCounts // of now: what is in the trace, or is nobody's business
}

// learn takes over what a slot says was lost.
func (l *spaceLosses) learn(slot *bpf.RecorderSlot) {
	f := slot.Lost
	turned := l.now[lostSlots]
	l.now = l.before.plus(lossCounts{
		lostCalls: uint64(f.Calls), lostArgs: uint64(f.Args), lostCaps: uint64(f.Caps),
		lostNets: uint64(f.Nets), lostSockets: uint64(f.Sockets), lostFiles: uint64(f.Files),
		lostSCTP: uint64(f.Sctp), lostRefusals: uint64(f.Refusals),
	})
	l.now[lostSlots] = turned
}

// kept is for a slot that is about to be emptied.
func (l *spaceLosses) kept() {
	l.before = l.now
	l.before[lostSlots] = 0
}

// losses writes what was lost since the last time: of each container that is
// known what is known to be its own, and the rest of nobody in particular. What
// the kernel counted for all was read before the slots were, so that a slot never
// knows of less.
func (r *recording) losses() {
	var open lossCounts
	for _, id := range slices.Sorted(maps.Keys(r.spaces)) {
		s := r.spaces[id]
		more := s.losses.now.over(s.losses.told)
		if more == (lossCounts{}) {
			continue
		}
		switch c := s.subject; {
		case c == nil || !c.decided:
			open = open.plus(more)
			continue
		case c.wanted:
			r.lose(more, c.rec.ID)
			r.losers[c.rec.ID] = cmp.Or(c.rec.Name, c.rec.ID)
		case !s.known():
			continue // it may have been one of those selected: told of nobody
		}
		r.attributed = r.attributed.plus(more)
		s.losses.told = s.losses.now
	}
	rest := r.counted.over(r.attributed).over(open)
	r.lose(rest.over(r.told), "")
	for i := range rest {
		r.told[i] = max(r.told[i], rest[i])
	}
}

// lose writes a line for each kind of loss.
func (r *recording) lose(more lossCounts, container string) {
	for kind, count := range more {
		if count > 0 {
			loss := r.lossOf(kind)
			loss.Count, loss.Container = count, container
			r.write(&loss)
		}
	}
}

// lossOf says what a kind of loss is.
func (r *recording) lossOf(kind int) trace.Loss {
	slots := fmt.Sprintf("more than %d containers at a time: calls of those beyond", slotLimit(r.o))
	rings := fmt.Sprintf("more than %d containers at a time: last calls of those beyond", Rings(max(r.o.Last, 1)))
	loss := [lossKinds]trace.Loss{
		lostSlots:    {Probe: "syscalls", Stage: "slot", Reason: slots},
		lostCalls:    {Probe: "syscalls", Stage: "map", Reason: "too many rare system calls"},
		lostArgs:     {Probe: "syscalls", Stage: "arguments", Reason: "too many distinct arguments"},
		lostCaps:     {Probe: "capabilities", Stage: "map", Reason: "too many distinct checks"},
		lostNets:     {Probe: "network", Stage: "map", Reason: "too many distinct peers"},
		lostSockets:  {Probe: "network", Stage: "socket", Reason: "no memory for a socket's owner"},
		lostFiles:    {Probe: "files", Stage: "map", Reason: "too many distinct files"},
		lostSCTP:     {Probe: "network", Stage: "sctp", Reason: "SCTP sockets: of those only what they listen on is recorded"},
		lostRefusals: {Probe: "syscalls", Stage: "denied", Reason: "a filter was in force before what it refuses was watched for"},
		lostMissed:   {Probe: "probes", Stage: "nested", Reason: "events that came while the same probe was at work on that processor"},
		lostLasts:    {Probe: "last", Stage: "slot", Reason: rings},
		lostEvents:   {Probe: "syscalls", Stage: "ring", Reason: "time and process of first sightings; the facts are here"},
		lostExes:     {Probe: "syscalls", Stage: "exe", Reason: "executables of first sightings; the facts are here"},
		lostOutcomes: {Probe: "capabilities", Stage: "outcome", Reason: "outcome of the call of a check; the check is here"},
		lostCounts:   {Probe: "syscalls", Stage: "counts", Reason: "occurrences of rare calls; the calls are here"},
	}[kind]
	loss.EvidenceOnly = kind >= lostLasts
	return loss
}

// said adds to what was lost on the whole, and says whether facts were.
func (r *recording) said(l *trace.Loss) {
	if !l.EvidenceOnly {
		r.lost += l.Count
	}
	key := *l
	key.Count = 0
	r.lossesSaid[key] += l.Count
}

// lossesSoFar are the losses in the trace, each once.
func (r *recording) lossesSoFar() []trace.Loss {
	var all []trace.Loss
	for loss, count := range r.lossesSaid {
		loss.Count = count
		all = append(all, loss)
	}
	slices.SortFunc(all, compareLosses)
	return all
}

func compareLosses(a, b trace.Loss) int {
	return cmp.Or(strings.Compare(a.Probe, b.Probe), strings.Compare(a.Stage, b.Stage),
		strings.Compare(a.Reason, b.Reason), strings.Compare(a.Container, b.Container))
}
