package html

import (
	"fmt"
	"math"
	"strings"
	"time"

	"advisor/policies"
	"advisor/trace"
)

// count is one figure of the headline.
type count struct {
	Class policies.Class
	N     int
	Word  string
}

// headline counts the findings of all workloads by class, worst first, and
// says in a sentence what that means.
func headline(p Page) ([]count, string) {
	classes := []policies.Class{
		policies.Missing, policies.Invalid, policies.Unprotected, policies.Excess, policies.Unknown,
	}
	by := make(map[policies.Class]int)
	workloads, drifting, compared := 0, 0, 0
	for _, w := range p.Workloads {
		if !w.Other {
			workloads++
			drifting += atMostOne(len(w.Findings))
			compared += atMostOne(len(w.Compared) + len(w.Findings))
		}
		for _, f := range w.Findings {
			by[f.Class]++
		}
	}
	var counts []count
	for _, c := range classes {
		counts = append(counts, count{c, by[c], string(c)})
	}
	return counts, sentence(workloads, compared, drifting, len(p.Workloads) > workloads)
}

func atMostOne(n int) int { return min(n, 1) }

// sentence is the headline. others says that something beside the workloads
// has findings, which must not be called clean.
func sentence(workloads, compared, drifting int, others bool) string {
	switch {
	case others && drifting == 0:
		return "What is declared differs from what was observed."
	case workloads == 0:
		return "No workload was observed."
	case compared == 0:
		return plural(workloads, "workload") + " observed, held against no manifest."
	case drifting == 0:
		return plural(compared, "workload") + " compared with the manifests: no difference."
	case compared == 1:
		return "The workload differs from its manifests."
	}
	return fmt.Sprintf("%d of %d workloads differ from their manifests.", drifting, compared)
}

// figure is one card of the evidence strip.
type figure struct {
	Label, Value, Note string
	Bad                bool // weakens everything on the page
}

func figures(p Page) []figure {
	e := p.Evidence
	return []figure{
		windowFigure(e),
		{Label: "Workloads", Value: fmt.Sprint(countWorkloads(p)),
			Note: plural(max(e.Traces, 1), "trace")},
		{Label: "Replicas", Value: fmt.Sprint(e.Replicas), Note: plural(e.Restarts, "restart")},
		{Label: "Nodes", Value: fmt.Sprint(len(e.Nodes)), Note: someOf(e.Nodes)},
		lostFigure(e),
		completeFigure(e),
		quietFigure(e),
	}
}

func countWorkloads(p Page) int {
	n := 0
	for _, w := range p.Workloads {
		if !w.Other {
			n++
		}
	}
	return n
}

func windowFigure(e policies.Evidence) figure {
	if e.Start.IsZero() || e.End.IsZero() {
		return figure{Label: "Window", Value: "unknown"}
	}
	return figure{
		Label: "Window", Value: length(e.End.Sub(e.Start)),
		Note: stamp(e.Start) + " to " + newWindow(e).clock(e.End) + " UTC",
	}
}

func lostFigure(e policies.Evidence) figure {
	f := figure{Label: "Lost", Value: fmt.Sprint(e.Lost), Note: "no event was lost"}
	if e.Lost > 0 {
		f.Note, f.Bad = "facts may be missing", true
	}
	return f
}

func completeFigure(e policies.Evidence) figure {
	f := figure{Label: "Complete", Value: "unknown", Note: "a trace has no end", Bad: true}
	switch e.Complete {
	case trace.CompleteTrue:
		f = figure{Label: "Complete", Value: "yes", Note: "every probe on, from the start"}
		if len(e.Off) > 0 {
			f = figure{Label: "Complete", Value: "in part", Note: "not every probe was on, see below", Bad: true}
		}
	case trace.CompleteFalse:
		f.Value, f.Note = "no", "see below"
	}
	return f
}

// quietFigure says how long nothing was learned before the end: the best sign
// that "never seen" means "not needed".
func quietFigure(e policies.Evidence) figure {
	if e.LastNew.IsZero() || e.End.IsZero() {
		return figure{Label: "Quiet for", Value: "unknown"}
	}
	return figure{
		Label: "Quiet for", Value: length(e.End.Sub(e.LastNew)),
		Note: "last new fact " + newWindow(e).clock(e.LastNew),
	}
}

// someOf names the first few.
func someOf(names []string) string {
	if len(names) > 3 {
		return strings.Join(names[:3], ", ") + fmt.Sprintf(" and %d more", len(names)-3)
	}
	return strings.Join(names, ", ")
}

// cautions are the sentences under the strip that weaken what the page says.
func cautions(p Page) []string {
	var lines []string
	for _, off := range p.Evidence.Off {
		lines = append(lines, "Not recorded in some trace: "+off)
	}
	for _, l := range p.Evidence.Losses {
		if !l.EvidenceOnly {
			lines = append(lines, lossLine(l))
		}
	}
	if n := p.Evidence.Incomplete; n > 0 {
		lines = append(lines, "Facts of "+plural(n, "container")+" were lost")
	}
	if n := p.Evidence.Late; n > 0 {
		lines = append(lines, plural(n, "container")+" ran before recording began")
	}
	if n := p.Evidence.Sampled; n > 0 {
		lines = append(lines, "Checks of capabilities in "+plural(n, "container")+" are a sample")
	}
	return append(lines, p.Notes...)
}

func lossLine(l trace.Loss) string {
	return fmt.Sprintf("Lost %d at %s/%s: %s", l.Count, l.Probe, l.Stage, l.Reason)
}

// asides weaken nothing but are good to know: what was lost of evidence while
// the fact is there, and what the traces say of themselves.
func asides(p Page) []string {
	var lines []string
	for _, l := range p.Evidence.Losses {
		if l.EvidenceOnly {
			lines = append(lines, lossLine(l))
		}
	}
	return append(lines, p.Evidence.Notes...)
}

// curveView is the learning curve as one path in a box of curveWidth by
// curveHeight.
type curveView struct {
	Path          string
	Text          string // the curve in words
	Start, End    string
	Width, Height int
}

const (
	curveWidth  = 1200
	curveHeight = 56
)

func newCurve(c Curve, w window) *curveView {
	if c.Step <= 0 || len(c.New) == 0 {
		return nil
	}
	most, total := 0, 0
	for _, n := range c.New {
		most, total = max(most, n), total+n
	}
	if most == 0 {
		return nil
	}
	end := c.Start.Add(time.Duration(len(c.New)) * c.Step)
	return &curveView{
		Path: bars(c.New, most), Width: curveWidth, Height: curveHeight,
		Start: w.clock(c.Start), End: w.clock(end),
		Text: fmt.Sprintf("%s, at most %d %s", plural(total, "new fact"), most, each(c.Step)),
	}
}

// each is a step of time as a rate: "a minute", "in 5m00s".
func each(step time.Duration) string {
	switch step {
	case time.Second:
		return "a second"
	case time.Minute:
		return "a minute"
	case time.Hour:
		return "an hour"
	}
	if step < time.Minute {
		return "in " + step.String()
	}
	return "in " + length(step)
}

// bars draws one bar for each step. Heights go by the square root: a single
// late fact matters and must be seen beside hundreds of early ones.
func bars(values []int, most int) string {
	var b strings.Builder
	step := float64(curveWidth) / float64(len(values))
	width := math.Min(math.Max(step*0.8, step-2), 24)
	for i, n := range values {
		if n == 0 {
			continue
		}
		h := math.Max(2, curveHeight*math.Sqrt(float64(n)/float64(most)))
		fmt.Fprintf(&b, "M%.1f %d v-%.1f h%.1f v%.1fz", float64(i)*step, curveHeight, h, width, h)
	}
	return b.String()
}
