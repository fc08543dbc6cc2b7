package report

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"advisor/policies"
	"advisor/policies/caps"
	"advisor/policies/manifest"
	"advisor/policies/netpol"
)

// Comparison says how observations are held against manifests.
type Comparison struct {
	Kinds     []string
	Workloads []string // globs; empty is all
	Engine    string   // that runs the containers; empty is the one that reads such manifests
	Dialect   string   // of the network plugin
	Ignores   []Ignore
	Baseline  []string  // fingerprints that are known already
	Today     time.Time // for the ignore entries that expire
	Policies  bool      // also make the policies that would fit
	// AllConnections compares also connections that a change of isolation explains.
	AllConnections bool
}

// ErrNothing says that no workload was both observed and declared.
var ErrNothing = errors.New("nothing to compare: no workload is in the traces and in the manifests")

// Diff holds what was observed against what is declared.
func Diff(seen Observed, m Manifests, c Comparison) (*Report, error) {
	chosen, err := Select(seen.Observations, c.Workloads)
	if err != nil {
		return nil, err
	}
	inv, errs := netpol.NewInventory(m.Objects, seen.Observations)
	m.refuse(RuleRefused, errs...)
	m.sort()
	r := &Report{Schema: Schema, Traces: seen.Traces, Manifests: m.Files, Problems: m.Problems}
	for _, line := range seen.Bad {
		r.Problems = append(r.Problems, Problem{Message: line.Error()})
	}
	r.Problems = append(r.Problems, m.homeless(chosen)...)
	pairs := pair(chosen, m.Declared)
	r.Workloads = workloadsOf(pairs)
	findings, err := r.check(pairs, m, inv, seen.Observations, c)
	if err != nil {
		return nil, err
	}
	r.finish(withRefused(placedAt(findings, pairs), m, c), c)
	if c.Policies {
		r.suggest(chosen, m.Objects, c)
		fixes, _ := Fixes(r, seen, m, c) // what stays unfixed stays a finding
		for _, f := range fixes {
			r.Patches = append(r.Patches, Patch{f.File, f.Patch()})
		}
	}
	if !slices.ContainsFunc(pairs, pairing.both) && (len(m.Declared) > 0 || len(m.Netpol) == 0) {
		return r, ErrNothing
	}
	return r, nil
}

// Rules of the findings about workloads that are on one side only.
const (
	RuleUndeclared = "workload/undeclared" // observed, and in no manifest
	RuleUnobserved = "workload/unobserved" // declared, and in no trace
)

// lonely are the findings about what cannot be compared. Manifests without any
// workload, such as network policies alone, are not expected to have this one.
func lonely(pairs []pairing, m Manifests) []policies.Finding {
	var findings []policies.Finding
	for _, p := range pairs {
		f := policies.Finding{Class: policies.Unknown, Workload: p.workload(), Subject: p.workload().Name}
		switch {
		case p.declared == nil && len(m.Declared) > 0:
			f.Rule, f.Message = RuleUndeclared, "observed, and in none of the manifests"
		case p.observed == nil && !p.declared.Windows:
			f.Rule, f.Message = RuleUnobserved, unobserved(p, pairs)
			f.Position = p.declared.Position
		default:
			continue
		}
		f.Fingerprint = policies.Fingerprint(f)
		findings = append(findings, f)
	}
	return findings
}

// unobserved says why nothing is held against a declaration: another one of the same
// container may have been taken, such as that of another environment.
func unobserved(p pairing, pairs []pairing) string {
	for _, other := range pairs {
		if other.both() && other.declared.Workload == p.declared.Workload {
			return fmt.Sprintf("declared at %s, too, which the recording was held against: name the manifests of one environment",
				other.declared.Position)
		}
	}
	return "not in the traces: nothing is known of what it needs"
}

// pairing is a workload as observed and as declared; either may be nil.
type pairing struct {
	observed *policies.Observation
	declared *caps.Declared
}

func (p pairing) both() bool { return p.observed != nil && p.declared != nil }

// workload is the name that findings go by: the observed one, which is sure of
// its namespace.
func (p pairing) workload() policies.Workload {
	if p.observed != nil {
		return p.observed.Workload
	}
	return p.declared.Workload
}

// pair finds the declaration of each observed workload by its identity, or by
// its pods' labels where the trace does not know who owns them.
func pair(seen []policies.Observation, declared []caps.Declared) []pairing {
	var pairs []pairing
	used := make(map[int]bool)
	for i := range seen {
		p := pairing{observed: &seen[i]}
		at := slices.IndexFunc(declared, func(d caps.Declared) bool { return d.For(seen[i].Workload) })
		if at < 0 {
			at = slices.IndexFunc(declared, func(d caps.Declared) bool { return labelled(d, seen[i]) })
		}
		if at >= 0 {
			p.declared = &declared[at]
			used[at] = true
		}
		pairs = append(pairs, p)
	}
	for i := range declared {
		if !used[i] {
			pairs = append(pairs, pairing{declared: &declared[i]})
		}
	}
	slices.SortStableFunc(pairs, func(a, b pairing) int { return a.workload().Compare(b.workload()) })
	return pairs
}

// labelled says that the observed pods carry all labels of the pod template.
func labelled(d caps.Declared, o policies.Observation) bool {
	if d.Pod == nil || len(d.Pod.Meta.Labels) == 0 || d.Workload.Container != o.Workload.Container {
		return false
	}
	for _, c := range o.Containers {
		if c.Pod == nil || d.Workload.Namespace != "" && d.Workload.Namespace != c.Pod.Namespace {
			return false
		}
		for key, value := range d.Pod.Meta.Labels {
			if c.Pod.Labels[key] != value {
				return false
			}
		}
	}
	return len(o.Containers) > 0
}

func workloadsOf(pairs []pairing) []Workload {
	var list []Workload
	for _, p := range pairs {
		w := Workload{Workload: p.workload(), Observed: p.observed != nil, Declared: p.declared != nil}
		if p.observed != nil {
			w.Evidence = p.observed.Evidence
		}
		list = append(list, w)
	}
	return list
}

// check runs the comparisons of all kinds asked for.
func (r *Report) check(pairs []pairing, m Manifests, inv *netpol.Inventory,
	seen []policies.Observation, c Comparison,
) ([]policies.Finding, error) {
	findings := lonely(pairs, m)
	for _, p := range pairs {
		if p.declared == nil {
			continue
		}
		if slices.Contains(c.Kinds, KindCaps) {
			findings = append(findings, named(p, checkCaps(p, c.Engine))...)
		}
		if slices.Contains(c.Kinds, KindSeccomp) {
			findings = append(findings, named(p, checkSeccomp(p, m, c.Engine))...)
		}
	}
	if slices.Contains(c.Kinds, KindCaps) {
		found, err := r.podSecurity(pairs, m, c)
		if err != nil {
			return nil, err
		}
		findings = append(findings, found...)
	}
	if !slices.Contains(c.Kinds, KindNetpol) {
		return findings, nil
	}
	dialect, ok := netpol.DialectOf(c.Dialect)
	if !ok {
		return nil, fmt.Errorf("no network plugin %q is known", c.Dialect)
	}
	r.Flows = flowsOf(m, inv, seen, dialect)
	if len(m.Netpol) == 0 && !slices.ContainsFunc(m.Declared, inKubernetes) {
		return findings, nil // nothing that a network policy could govern
	}
	return append(findings, ofWorkloads(netpol.Check(m.Netpol, inv, seen, dialect), c.Workloads)...), nil
}

func inKubernetes(d caps.Declared) bool { return d.Pod != nil }

// ofWorkloads keeps the findings about workloads that were asked for.
func ofWorkloads(findings []policies.Finding, globs []string) []policies.Finding {
	return slices.DeleteFunc(findings, func(f policies.Finding) bool { return !asked(f.Workload, globs) })
}

// asked says that any of the globs names the pod of w, or that there are none.
func asked(w policies.Workload, globs []string) bool {
	w.Container = ""
	return len(globs) == 0 || slices.ContainsFunc(globs, func(g string) bool {
		return MatchWorkload(g, w) || MatchWorkload(strings.SplitN(g, ":", 2)[0], w)
	})
}

func checkCaps(p pairing, engine string) []policies.Finding {
	var o policies.Observation
	if p.observed != nil {
		o = *p.observed
	}
	if blind(o, KindCaps) != nil {
		o.Containers = nil // nothing was looked for: only what is wrong by itself counts
	}
	return caps.Check(*p.declared, o, engine)
}

// named gives findings the name that the pair goes by: the manifest may leave
// the namespace open.
func named(p pairing, findings []policies.Finding) []policies.Finding {
	for i := range findings {
		findings[i].Workload = p.workload()
		findings[i].Fingerprint = policies.Fingerprint(findings[i])
	}
	return findings
}

// placedAt gives findings about something absent the place of their workload.
func placedAt(findings []policies.Finding, pairs []pairing) []policies.Finding {
	for i, f := range findings {
		if f.Position.File != "" {
			continue
		}
		for _, p := range pairs {
			if p.declared != nil && (p.workload() == f.Workload || samePod(p.workload(), f.Workload)) {
				findings[i].Position = p.declared.Position
				break
			}
		}
	}
	return findings
}

// finish sorts the findings and takes out what is ignored or known.
func (r *Report) finish(findings []policies.Finding, c Comparison) {
	slices.SortFunc(findings, policies.Finding.Compare)
	kept, ignored, audit := applyIgnores(findings, c.Ignores, c.Today)
	r.Ignored, r.Audit = ignored, audit
	r.Findings = []policies.Finding{}
	known := make(map[string]bool)
	for _, f := range kept {
		f.Subject, f.Message = printable(f.Subject), printable(f.Message)
		key := f.Fingerprint + f.Position.String()
		if known[key] {
			continue // seen under several architectures or phases
		}
		known[key] = true
		if slices.Contains(c.Baseline, f.Fingerprint) {
			r.Ignored = append(r.Ignored, Ignored{Finding: f, Reason: inBaseline})
			continue
		}
		r.Findings = append(r.Findings, f)
	}
}

// printable replaces what a terminal or a line of a report would take for more
// than text: the names in a trace may be those that a container chose.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, text)
}

// suggest adds the policies that would fit. One that cannot be made is left
// out: the comparison stands without it.
func (r *Report) suggest(seen []policies.Observation, objects []manifest.Object, c Comparison) {
	made, _ := Policies(seen, Request{Kinds: c.Kinds, Objects: objects})
	for _, p := range made {
		at := slices.IndexFunc(r.Workloads, func(w Workload) bool {
			return w.Observed && p.isFor(w.Workload)
		})
		if at >= 0 {
			r.Workloads[at].Policies = append(r.Workloads[at].Policies, p)
		}
	}
}
