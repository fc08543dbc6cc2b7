package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/policies/caps"
	"advisor/policies/manifest"
)

// RulePodSecurity is the rule of a pod that its namespace does not let in.
const RulePodSecurity = "caps/pod-security"

// PodSecurity says where the declared pods stand in the Pod Security Standards
// today, and where they could with what was observed of their containers.
// Sorted by workload; empty outside of Kubernetes.
func PodSecurity(seen []policies.Observation, declared []caps.Declared, req Request) ([]caps.Standing, error) {
	if _, err := req.choose(seen); err != nil {
		return nil, err
	}
	all, err := standings(pair(seen, declared), req)
	return slices.DeleteFunc(all, func(st caps.Standing) bool { return !asked(st.Workload, req.Workloads) }), err
}

// podSecurity says where the pods stand, and finds those that their namespaces
// refuse.
func (r *Report) podSecurity(pairs []pairing, m Manifests, c Comparison) ([]policies.Finding, error) {
	all, err := standings(pairs, Request{})
	r.PodSecurity = slices.DeleteFunc(all, func(st caps.Standing) bool { return !asked(st.Workload, c.Workloads) })
	return ofWorkloads(admission(pairs, m.Objects), c.Workloads), err
}

// standings are those of the pods in pairs, by the names that the pairs go by.
func standings(pairs []pairing, req Request) ([]caps.Standing, error) {
	var declared []caps.Declared
	var made []caps.Synthesis
	names := make(map[policies.Workload]policies.Workload) // of pods, as observed
	for _, p := range pairs {
		if p.declared == nil {
			continue
		}
		declared = append(declared, *p.declared)
		if p.observed == nil || blind(*p.observed, KindCaps) != nil {
			continue
		}
		s, err := caps.Synthesize(*p.observed, req.capsOptions(*p.observed))
		if err != nil {
			return nil, err
		}
		names[podOf(p.declared.Workload)] = podOf(p.observed.Workload)
		s.Workload = p.declared.Workload
		made = append(made, s)
	}
	list, err := caps.Standings(declared, made)
	for i, st := range list {
		if name, ok := names[st.Workload]; ok {
			list[i].Workload = name
		}
	}
	slices.SortStableFunc(list, func(a, b caps.Standing) int {
		return cmp.Or(a.Workload.Compare(b.Workload), a.Position.Compare(b.Position))
	})
	return list, err
}

func podOf(w policies.Workload) policies.Workload {
	w.Container = ""
	return w
}

// StandingText tells a person where a pod stands, what is in the way of the
// next level, each on a line of its own.
func StandingText(w io.Writer, st caps.Standing) error {
	text := fmt.Sprintf("%s: %s\n", st.Workload, standingHead(st))
	for _, line := range standingLines(st) {
		text += "  " + line + "\n"
	}
	_, err := io.WriteString(w, text)
	return err
}

// standingHead is both levels in one clause.
func standingHead(st caps.Standing) string {
	if st.Today.Level == st.Could.Level {
		return fmt.Sprintf("pod security: %s, as declared and as observed", st.Today.Level)
	}
	return fmt.Sprintf("pod security: %s as declared, %s with what was observed", st.Today.Level, st.Could.Level)
}

// standingLines are what is in the way of both next levels, and what is not
// known.
func standingLines(st caps.Standing) []string {
	lines := blockLines("refuses it as declared", st.Today)
	if !slices.Equal(st.Today.Blocks, st.Could.Blocks) {
		lines = append(lines, blockLines("would still refuse it", st.Could)...)
	}
	if len(st.Unseen) > 0 {
		lines = append(lines, "not observed, and taken as declared: "+strings.Join(st.Unseen, ", "))
	}
	return lines
}

// blockLines are a heading and a line for each thing in the way.
func blockLines(heading string, v caps.Verdict) []string {
	if len(v.Blocks) == 0 {
		return nil
	}
	lines := []string{v.Next() + " " + heading + ":"}
	for _, block := range v.Blocks {
		lines = append(lines, "  "+block)
	}
	return lines
}

// aloneLines are where a container's own security context stands, were it the
// only one of its pod; none where that was not asked.
func (p Policy) aloneLines() []string {
	if p.PodSecurity == nil {
		return nil
	}
	head := fmt.Sprintf("pod security: %s, in a pod of its own", p.PodSecurity.Level)
	return append([]string{head}, blockLines("refuses it", *p.PodSecurity)...)
}

// WithoutStanding leaves out what is said of containers alone where more is
// known of their pods.
func WithoutStanding(made []Policy, pods []caps.Standing) []Policy {
	made = slices.Clone(made)
	for i, p := range made {
		if slices.ContainsFunc(pods, func(st caps.Standing) bool { return st.Workload == podOf(p.Workload) }) {
			made[i].PodSecurity = nil
		}
	}
	return made
}

// The label with which a namespace sets the level that its pods must meet, and
// that of the level's version (Kubernetes, Pod Security Admission labels).
const (
	enforceLabel   = "pod-security.kubernetes.io/enforce"
	enforceVersion = "pod-security.kubernetes.io/enforce-version"
)

// admission finds the pods that their namespaces refuse as they are declared.
func admission(pairs []pairing, objects []manifest.Object) []policies.Finding {
	var findings []policies.Finding
	told := make(map[*caps.Pod]bool)
	for _, p := range pairs {
		if p.declared == nil || p.declared.Pod == nil || told[p.declared.Pod] {
			continue
		}
		level, version := enforced(objects, p.workload().Namespace)
		if level == "" {
			continue
		}
		told[p.declared.Pod] = true
		if f, refused := refusedBy(p, level, version); refused {
			findings = append(findings, f)
		}
	}
	return findings
}

func refusedBy(p pairing, level, version string) (policies.Finding, bool) {
	f := policies.Finding{
		Class: policies.Invalid, Rule: RulePodSecurity, Workload: podOf(p.workload()), Subject: level,
		Message:  "the namespace enforces this level, and lets no pod of this in",
		Position: p.declared.Position,
	}
	var err error
	switch f.Evidence, err = caps.Refusal(p.declared.Pod, level, version); {
	case err != nil:
		f.Message = "the namespace's label is not understood: " + err.Error()
	case len(f.Evidence) > 0:
		f.Message += ": " + strings.Join(headings(f.Evidence), ", ")
	}
	f.Fingerprint = policies.Fingerprint(f)
	return f, err != nil || len(f.Evidence) > 0
}

// headings are what each block is about, without which container and how.
func headings(blocks []string) []string {
	short := make([]string, len(blocks))
	for i, block := range blocks {
		short[i], _, _ = strings.Cut(block, ": ")
	}
	return short
}

// enforced is the level that a namespace's labels demand, "" for none.
func enforced(objects []manifest.Object, namespace string) (level, version string) {
	for _, o := range objects {
		if o.Kind == "Namespace" && o.Name == namespace {
			return label(o, enforceLabel), label(o, enforceVersion)
		}
	}
	return "", ""
}

func label(o manifest.Object, key string) string {
	if node := o.Lookup("metadata", "labels", key); node != nil {
		return node.Value
	}
	return ""
}
