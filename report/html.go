package report

import (
	"io"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/policies/seccomp/risk"
	"advisor/report/html"
)

// HTML prints the report as one page that needs no network; see package html
// for the rules it keeps.
func (r *Report) HTML(w io.Writer) error { return html.Render(w, r.page()) }

// page is the report as the page wants it. All of it comes from what the JSON
// report holds too, so that a saved report gives the same page.
func (r *Report) page() html.Page {
	p := html.Page{
		Traces: r.Traces, Manifests: r.Manifests, Advisor: r.Advisor,
		Evidence: r.allEvidence(), Risks: pageRisks(),
	}
	for _, problem := range r.Problems {
		p.Notes = append(p.Notes, problem.String())
	}
	p.Workloads = r.pageWorkloads()
	p.Patches = r.placePatches(p.Workloads)
	p.Flows = r.pageFlows()
	p.Curve = learningCurve(p.Evidence, r.firstSightings())
	return p
}

// pageWorkloads is an article for each workload, and one for each other thing
// that findings or policies are about: the pod of several containers, or a
// namespace.
func (r *Report) pageWorkloads() []html.Workload {
	articles := &articles{pods: make(map[policies.Workload]int)}
	for _, w := range r.Workloads {
		pod := w.Workload
		pod.Container = ""
		articles.pods[pod]++
	}
	for _, w := range r.Workloads {
		a := articles.of(w.Workload)
		a.Other = !w.Observed && !w.Declared
		a.Evidence = w.Evidence
		if w.Observed && w.Declared {
			a.Compared = Kinds()
		}
		for _, p := range w.Policies {
			addPolicy(articles.of(p.Workload), p)
		}
	}
	for _, f := range r.Findings {
		a := articles.of(f.Workload)
		a.Findings = append(a.Findings, f)
		addCapFinding(a, f)
	}
	for _, st := range r.PodSecurity {
		articles.of(st.Workload).Standing = &html.Standing{
			Today: st.Today.Level, Could: st.Could.Level, Lines: standingLines(st),
		}
	}
	out := make([]html.Workload, len(articles.list))
	for i, a := range articles.list {
		out[i] = *a
	}
	return out
}

// placePatches puts each patch with the workload whose findings stand in its
// file, and gives back those that concern several.
func (r *Report) placePatches(workloads []html.Workload) []html.Patch {
	var shared []html.Patch
	for _, p := range r.Patches {
		var owners []*html.Workload
		for i := range workloads {
			if slices.ContainsFunc(workloads[i].Findings, func(f policies.Finding) bool {
				// Rules of network policies are not patched.
				return f.Position.File == p.File && !strings.HasPrefix(f.Rule, KindNetpol+"/")
			}) {
				owners = append(owners, &workloads[i])
			}
		}
		patch := html.Patch{File: p.File, Text: p.Text}
		if len(owners) == 1 {
			owners[0].Patches = append(owners[0].Patches, patch)
		} else {
			shared = append(shared, patch)
		}
	}
	return shared
}

// articles finds the article that speaks of a workload.
type articles struct {
	list []*html.Workload
	pods map[policies.Workload]int // containers of each
}

// of is the article of w. What is said of a pod stands with its container
// where it has only one.
func (a *articles) of(w policies.Workload) *html.Workload {
	at := slices.IndexFunc(a.list, func(have *html.Workload) bool {
		return have.Workload == w ||
			w.Container == "" && a.pods[w] == 1 && samePod(have.Workload, w)
	})
	if at >= 0 {
		return a.list[at]
	}
	made := &html.Workload{Workload: w, Other: true}
	a.list = append(a.list, made)
	return made
}

// notItsOwn is the class of calls that a profile allows for others than the
// workload: the runtime, libc, the one who asked for them.
const notItsOwn = "not made by the workload"

func pageRisks() []html.Risk {
	var risks []html.Risk
	for _, c := range risk.Classes() {
		risks = append(risks, html.Risk{
			Name: string(c), Reason: c.Reason(), Ordinary: c == risk.Ordinary,
		})
	}
	return append(risks, html.Risk{
		Name: notItsOwn, Ordinary: true,
		Reason: "allowed for the runtime, for libc, or because it was asked for",
	})
}

// addPolicy adds a policy and, from the reasons for its lines, the facts.
func addPolicy(a *html.Workload, p Policy) {
	made := html.Policy{Kind: p.Kind, Name: p.File, Text: p.Text, Proof: p.Proof, Notes: slices.Clone(p.Notes)}
	made.Notes = append(made.Notes, p.aloneLines()...)
	switch p.Kind {
	case KindSeccomp:
		addSyscalls(a, p.Lines)
		keys := make(map[string]string)
		for _, s := range a.Syscalls {
			keys[s.Name] = s.Key()
		}
		made.Rules = rulesNaming(p.Text, keys)
	case KindCaps:
		addCapabilities(a, p.Lines)
		keys := make(map[string]string)
		for _, c := range a.Capabilities {
			keys[c.Name] = c.Key()
		}
		made.Rules = rulesNaming(p.Text, keys)
	case KindNetpol:
		made.Rules = netpolRules(p)
	}
	a.Policies = append(a.Policies, made)
}

// rulesNaming finds the lines that hold a name as a word of its own. keys are
// the facts by name.
func rulesNaming(text string, keys map[string]string) []html.Rule {
	var rules []html.Rule
	n := 0
	for line := range strings.Lines(text) {
		n++
		r := html.Rule{First: n, Last: n}
		for word := range strings.FieldsFuncSeq(line, notInName) {
			if key := keys[strings.TrimPrefix(word, "CAP_")]; key != "" {
				r.Facts = append(r.Facts, key)
			}
		}
		if len(r.Facts) > 0 {
			rules = append(rules, r)
		}
	}
	return rules
}

func notInName(r rune) bool {
	return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}
