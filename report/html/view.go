package html

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
)

// view is the page as its templates want it: every decision is made, every
// text is there.
type view struct {
	parts
	CSP       string
	Title     string
	Page      Page
	Counts    []count
	Sentence  string
	Figures   []figure
	Cautions  []string
	Asides    []string
	Curve     *curveView
	Workloads []workloadView
	Patches   []patchView
	Flows     []flowRow
	FlowKinds []legend
	Matrix    *matrix // nil where the graph can be read
	Caps      *capMatrix
	Calls     []overviewGroup
	HasCalls  bool // some system call was observed
	Data      data
}

// data is the page's one block of data, for the scripts.
type data struct {
	Graph graph             `json:"graph"`
	Rules map[string][]rule `json:"rules"` // of each policy, by its id
}

// rule is the first and the last of some lines of a policy, then the ids of the
// rows that are their evidence. There is one for each system call.
type rule []any

// legend is one sign and what it means.
type legend struct {
	Class, Word string
	N           int
}

func newView(p Page) (view, error) {
	w := newWindow(p.Evidence)
	compared := len(p.Manifests) > 0
	v := view{
		Title: title(p), Page: p,
		Figures: figures(p), Cautions: cautions(p), Asides: asides(p), Curve: newCurve(p.Curve, w),
	}
	if v.Counts, v.Sentence = headline(p); !compared {
		v.Counts = nil
	}
	v.Flows = flowRows(p.Flows, compared, w)
	v.FlowKinds = flowLegend(v.Flows, compared)
	v.Data.Rules = make(map[string][]rule)
	flows := flowKeys(v.Flows)
	for i, wl := range orderWorkloads(p.Workloads) {
		wv := newWorkload(fmt.Sprintf("w%d", i), wl, p.Risks, w)
		wv.policies(wl, flows, v.Data.Rules)
		v.Workloads = append(v.Workloads, wv)
	}
	if !compared {
		countFacts(v.Workloads, v.Flows)
	}
	openWorst(v.Workloads)
	shorten(v.Workloads)
	v.Caps, v.Calls = newCapMatrix(v.Workloads), overview(v.Workloads)
	v.Patches = patchViews("p", p.Patches)
	v.HasCalls = slices.ContainsFunc(v.Workloads, func(w workloadView) bool { return w.NCalls > 0 })
	v.Data.Graph = newGraph(v.Flows, articles(v.Workloads))
	if len(v.Data.Graph.Edges) > maxEdges {
		v.Matrix = newMatrix(v.Flows)
	}
	var err error
	if v.parts, err = loadParts(len(v.Flows) > 0); err != nil {
		return view{}, err
	}
	v.CSP = v.parts.policy()
	return v, nil
}

func title(p Page) string {
	if p.Title != "" {
		return p.Title
	}
	return strings.Join(p.Traces, ", ")
}

// orderWorkloads puts the worst first, then goes by name.
func orderWorkloads(list []Workload) []Workload {
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b Workload) int {
		return cmp.Or(cmp.Compare(worst(a.Findings), worst(b.Findings)), a.Workload.Compare(b.Workload))
	})
	return sorted
}

// worst is the rank of the worst finding.
func worst(findings []policies.Finding) int {
	r := rank("")
	for _, f := range findings {
		r = min(r, rank(f.Class))
	}
	return r
}

// openWorst leaves a page of one workload open, else the first few that break
// when their manifests are enforced.
func openWorst(list []workloadView) {
	for i := range list {
		list[i].Only = len(list) == 1
		list[i].Open = list[i].Only || i < 3 && list[i].rank <= rank(policies.Invalid)
	}
}

func articles(list []workloadView) map[string]string {
	ids := make(map[string]string)
	for _, w := range list {
		key := peer(w.Workload).String()
		if _, ok := ids[key]; !ok {
			ids[key] = w.ID
		}
	}
	return ids
}

// flowKeys maps a flow's key to its row.
func flowKeys(rows []flowRow) map[string]string {
	ids := make(map[string]string)
	for _, r := range rows {
		ids[r.flow.Key()] = r.ID
	}
	return ids
}

func flowLegend(rows []flowRow, compared bool) []legend {
	var out []legend
	classes := []policies.Class{
		"", policies.Missing, policies.Unprotected, policies.Excess, policies.Unknown,
	}
	for _, c := range classes {
		n := 0
		for _, r := range rows {
			if r.flow.Class == c {
				n++
			}
		}
		// The three that every reader asks for are there even when none is.
		if n > 0 || compared && (c == "" || c == policies.Missing || c == policies.Excess) {
			out = append(out, legend{className(c), flowWord(c, compared), n})
		}
	}
	return out
}
