package report

import (
	"cmp"
	"slices"
	"time"

	"advisor/policies"
	"advisor/report/html"
	"advisor/trace"
)

// allEvidence is the evidence of all workloads together.
func (r *Report) allEvidence() policies.Evidence {
	var list []policies.Evidence
	for _, w := range r.Workloads {
		if w.Observed {
			list = append(list, w.Evidence)
		}
	}
	all := together(list)
	all.Traces = len(r.Traces)
	return all
}

// together is the evidence of several workloads. A loss that touches several of
// them is counted once.
func together(list []policies.Evidence) policies.Evidence {
	var all policies.Evidence
	losses := make(map[trace.Loss]bool)
	for i, e := range list {
		if i == 0 {
			all.Start, all.Complete = e.Start, e.Complete
		}
		widen(&all, e)
		for _, l := range e.Losses {
			if !losses[l] {
				losses[l] = true
				if !l.EvidenceOnly {
					all.Lost += l.Count
				}
				all.Losses = append(all.Losses, l)
			}
		}
	}
	for _, names := range []*[]string{&all.Nodes, &all.Kernels, &all.Off, &all.Notes} {
		slices.Sort(*names)
		*names = slices.Compact(*names)
	}
	slices.SortFunc(all.Losses, compareLosses)
	return all
}

func widen(all *policies.Evidence, e policies.Evidence) {
	joinSpan(all, e)
	all.Replicas += e.Replicas
	all.Restarts += e.Restarts
	all.Late += e.Late
	all.Incomplete += e.Incomplete
	all.Sampled += e.Sampled
	all.Nodes = append(all.Nodes, e.Nodes...)
	all.Kernels = append(all.Kernels, e.Kernels...)
	all.Off = append(all.Off, e.Off...)
	all.Notes = append(all.Notes, e.Notes...)
	if e.Complete == trace.CompleteFalse || all.Complete == trace.CompleteTrue {
		all.Complete = e.Complete
	}
}

func compareLosses(a, b trace.Loss) int {
	return cmp.Or(cmp.Compare(a.Probe, b.Probe), cmp.Compare(a.Stage, b.Stage),
		cmp.Compare(a.Container, b.Container), cmp.Compare(a.Reason, b.Reason),
		cmp.Compare(a.Count, b.Count))
}

// firstSightings are the times at which the facts behind all policies were new.
func (r *Report) firstSightings() []time.Time {
	var times []time.Time
	for _, w := range r.Workloads {
		for _, p := range w.Policies {
			for _, l := range p.Lines {
				if l.Seen != nil && !l.Seen.First.Time.IsZero() {
					times = append(times, l.Seen.First.Time)
				}
			}
		}
	}
	return times
}

// maxSteps is the most that a learning curve has; more could not be told apart.
const maxSteps = 150

// learningCurve counts the new facts in each step of the window. Without a
// fact, or with a window of no length, there is none.
func learningCurve(e policies.Evidence, times []time.Time) html.Curve {
	span := e.End.Sub(e.Start)
	if e.Start.IsZero() || span <= 0 || len(times) == 0 {
		return html.Curve{}
	}
	c := html.Curve{Start: e.Start, Step: curveStep(span)}
	c.New = make([]int, (span+c.Step-1)/c.Step)
	for _, t := range times {
		// A clock that was set may put a sighting outside of the window.
		at := int(t.Sub(e.Start) / c.Step)
		c.New[min(max(at, 0), len(c.New)-1)]++
	}
	return c
}

// curveStep is a round length of time that divides the window into at most
// maxSteps: minutes, wherever that is possible.
func curveStep(span time.Duration) time.Duration {
	steps := []time.Duration{
		10 * time.Millisecond, 100 * time.Millisecond, time.Second, 5 * time.Second, 15 * time.Second, time.Minute,
		5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour,
	}
	for _, step := range steps {
		if span <= maxSteps*step {
			return step
		}
	}
	const day = 24 * time.Hour
	days := (span + maxSteps*day - 1) / (maxSteps * day)
	return days * day
}
