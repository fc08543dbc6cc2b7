package html

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
)

// workloadView is one workload as the templates want it.
type workloadView struct {
	ID       string
	Name     string // as people read it
	Short    string // without kind and, where it is the pod's only one, container
	Workload policies.Workload
	Image    string
	Evidence string
	Open     bool
	Only     bool      // the page has no other
	Verdicts []verdict // seccomp, netpol, caps
	Findings []findingRow
	Standing *Standing
	Caps     []capRow
	Calls    []callGroup
	NCalls   int
	Policies []policyView
	Patches  []patchView
	rank     int
	other    bool
	off      []string // kinds of facts that were not looked for, with the reason
}

// verdict is what one kind of policy comes to for one workload.
type verdict struct {
	Kind, Class, Text string
}

// Title is the column that it stands in.
func (v verdict) Title() string {
	return map[string]string{"seccomp": "System calls", "netpol": "Network", "caps": "Capabilities"}[v.Kind]
}

// findingRow is one finding as a line of the table.
type findingRow struct {
	ID, Class string
	policies.Finding
}

// capRow is one capability of one workload.
type capRow struct {
	ID, Name, Class, Sign, Word, Reason, Seen string
	Verified, Failed                          string
	need                                      Need
}

type policyView struct {
	ID, Kind, Name, Text, Proof string
	Failed, Notes               []string
}

type patchView struct {
	ID, File string
	Lines    []patchLine
}

// patchLine is a line of a unified diff with its end of line.
type patchLine struct{ Class, Text string }

func newWorkload(id string, w Workload, risks []Risk, at window) workloadView {
	v := workloadView{
		ID: id, Name: w.Workload.String(), Workload: w.Workload, Image: w.Image,
		Evidence: evidenceLine(w.Evidence), other: w.Other, rank: worst(w.Findings), off: w.Evidence.Off,
		Findings: findingRows(id, w.Findings), Caps: capRows(id, w.Capabilities, at),
		Calls: groupCalls(id, w.Syscalls, risks, at), NCalls: len(w.Syscalls),
		Patches: patchViews(id, w.Patches), Standing: w.Standing,
	}
	for _, kind := range []string{"seccomp", "netpol", "caps"} {
		v.Verdicts = append(v.Verdicts, newVerdict(kind, w))
	}
	return v
}

// shorten gives every workload a name for places where there is little room:
// namespace/name where no other on the page has that.
func shorten(list []workloadView) {
	count := make(map[string]int)
	short := func(w workloadView) string {
		return Peer{w.Workload.Namespace, w.Workload.Name}.String()
	}
	for _, w := range list {
		count[short(w)]++
	}
	for i, w := range list {
		if list[i].Short = short(w); count[list[i].Short] > 1 {
			list[i].Short = w.Name
		}
	}
}

// countFacts puts what was seen where a comparison would put its verdict.
func countFacts(list []workloadView, flows []flowRow) {
	for _, w := range list {
		self := peer(w.Workload)
		touching, needed := 0, 0
		for _, f := range flows {
			if f.flow.From == self || f.flow.To == self {
				touching++
			}
		}
		for _, c := range w.Caps {
			if c.need == Needed {
				needed++
			}
		}
		texts := []string{
			plural(w.NCalls, "call"), plural(touching, "flow"), fmt.Sprintf("%d needed", needed),
		}
		none := []bool{w.NCalls == 0, touching == 0, len(w.Caps) == 0}
		for i, probe := range []string{"syscalls", "network", "capabilities"} {
			if none[i] && slices.ContainsFunc(w.off, func(off string) bool { return strings.HasPrefix(off, probe+": ") }) {
				texts[i] = "not recorded"
			}
			if w.Verdicts[i].Class == "none" {
				w.Verdicts[i].Text = texts[i]
			}
		}
	}
}

// evidenceLine is how much a workload was watched, as in the text report.
func evidenceLine(e policies.Evidence) string {
	if e.Replicas == 0 {
		return ""
	}
	if e.Start.IsZero() || e.End.IsZero() {
		return plural(e.Replicas, "replica")
	}
	line := fmt.Sprintf("%s, %s, %s, %d lost", length(e.End.Sub(e.Start)),
		plural(e.Replicas, "replica"), plural(e.Restarts, "restart"), e.Lost)
	if !e.LastNew.IsZero() {
		line += ", quiet for " + length(e.End.Sub(e.LastNew))
	}
	return line
}

// newVerdict counts a kind's findings by class, worst first.
func newVerdict(kind string, w Workload) verdict {
	by := make(map[policies.Class]int)
	for _, f := range w.Findings {
		if strings.HasPrefix(f.Rule, kind+"/") {
			by[f.Class]++
		}
	}
	if len(by) == 0 {
		if slices.Contains(w.Compared, kind) {
			return verdict{kind, "ok", "no difference"}
		}
		if w.Other {
			return verdict{Kind: kind, Class: "none"}
		}
		return verdict{Kind: kind, Class: "none", Text: "not compared"}
	}
	classes := make([]policies.Class, 0, len(by))
	for c := range by {
		classes = append(classes, c)
	}
	slices.SortFunc(classes, func(a, b policies.Class) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
	})
	var words []string
	for _, c := range classes {
		words = append(words, fmt.Sprintf("%d %s", by[c], c))
	}
	return verdict{kind, className(classes[0]), strings.Join(words, ", ")}
}

func findingRows(id string, findings []policies.Finding) []findingRow {
	sorted := slices.Clone(findings)
	slices.SortStableFunc(sorted, func(a, b policies.Finding) int {
		return cmp.Or(cmp.Compare(rank(a.Class), rank(b.Class)), strings.Compare(a.Rule, b.Rule),
			strings.Compare(a.Subject, b.Subject), strings.Compare(a.Position.String(), b.Position.String()),
			strings.Compare(a.Message, b.Message))
	})
	rows := make([]findingRow, len(sorted))
	for i, f := range sorted {
		rows[i] = findingRow{fmt.Sprintf("%sd%d", id, i), className(f.Class), f}
	}
	return rows
}

// policies fills in the generated documents and, for the scripts, which row is
// the evidence for which of their lines.
func (v *workloadView) policies(w Workload, flows map[string]string, rules map[string][]rule) {
	rows := make(map[string]string)
	for _, c := range v.Caps {
		rows[Capability{Name: c.Name}.Key()] = c.ID
	}
	for _, g := range v.Calls {
		for _, r := range g.Rows {
			rows[r.key] = fmt.Sprintf("%ss%d", v.ID, r.index)
		}
	}
	for i, p := range w.Policies {
		id := fmt.Sprintf("%sp%d", v.ID, i)
		v.Policies = append(v.Policies, policyView{
			ID: id, Kind: kindWord(p.Kind), Name: p.Name, Text: p.Text,
			Proof: p.Proof.Summary, Failed: p.Proof.Failed, Notes: p.Notes,
		})
		if found := ruleRows(p.Rules, rows, flows); len(found) > 0 {
			rules[id] = found
		}
	}
}

func ruleRows(list []Rule, rows, flows map[string]string) []rule {
	var out []rule
	for _, r := range list {
		found := rule{r.First, r.Last}
		for _, key := range r.Facts {
			if id := cmp.Or(rows[key], flows[key]); id != "" {
				found = append(found, id)
			}
		}
		if len(found) > 2 {
			out = append(out, found)
		}
	}
	return out
}

func patchViews(id string, patches []Patch) []patchView {
	var out []patchView
	for i, p := range patches {
		v := patchView{ID: fmt.Sprintf("%sx%d", id, i), File: p.File}
		for line := range strings.Lines(p.Text) {
			v.Lines = append(v.Lines, patchLine{lineClass(line), line})
		}
		out = append(out, v)
	}
	return out
}

func lineClass(line string) string {
	switch {
	case strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "---"), strings.HasPrefix(line, "@@"):
		return "at"
	case strings.HasPrefix(line, "+"):
		return "add"
	case strings.HasPrefix(line, "-"):
		return "del"
	}
	return ""
}
