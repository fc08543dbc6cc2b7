package report

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/policies/netpol"
	"advisor/trace"
)

func netpolFormats() []Format {
	return []Format{
		{"kubernetes", ".netpol.yaml", true, "NetworkPolicy manifests"},
		{"cilium", ".cilium.yaml", true, "CiliumNetworkPolicy manifests"},
		{"nftables", ".nft", true, "one ruleset for what runs outside Kubernetes"},
		{"list", ".txt", true, "who connects to whom, for people"},
	}
}

// Netpol makes the network policies of all workloads. They are proven
// together: what one end allows only counts with what the other does.
func Netpol(seen []policies.Observation, inv *netpol.Inventory, opt netpol.Options, format Format) ([]Policy, error) {
	if format.Name == "cilium" && opt.Dialect == "cilium" {
		opt.Dialect = "cilium-nodes" // its own policies have entities that stand for nodes
	}
	s, err := netpol.Synthesize(seen, inv, opt)
	if err != nil {
		return nil, fmt.Errorf("network policies: %w", err)
	}
	if err := s.Enforceable(seen, inv); err != nil {
		return nil, fmt.Errorf("network policies: %w", err)
	}
	proof := netpol.Prove(s, seen, inv)
	docs, err := s.In(format.Name)
	if err != nil {
		return nil, fmt.Errorf("network policies: %w", err)
	}
	evidence := evidenceOf(seen)
	var list []Policy
	for _, doc := range docs {
		w := doc.Workload
		p, err := Policy{
			Kind: KindNetpol, Workload: w, Format: format.Name,
			File: netpolFile(doc) + format.Suffix,
			Text: string(doc.Text), Proof: proof, Lines: netpolLines(s, w), Notes: netpolNotes(s, w),
			Evidence: evidenceFor(w, seen, evidence),
		}.amongOthers(len(docs) - 1).proven()
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	reasons := withoutPolicy(s)
	if len(list) == 0 && len(reasons) > 0 {
		return nil, ungovernedError(reasons)
	}
	if len(list) > 0 {
		list[0].Notes = append(list[0].Notes, reasons...)
	}
	return list, nil
}

// ungovernedError is why none of the workloads got a policy.
type ungovernedError []string

// Error lists the reasons.
func (e ungovernedError) Error() string { return strings.Join(e, "; ") }

// withoutPolicy says why workloads got no policy.
func withoutPolicy(s netpol.Synthesis) []string {
	var reasons []string
	for _, n := range s.Notes {
		if strings.HasPrefix(n.Text, "no policy: ") {
			reasons = append(reasons, fmt.Sprintf("%s: %s", n.Workload, n.Text))
		}
	}
	return reasons
}

// netpolFile is a document's path as one name, without its suffix. Where there is no
// namespace but the draft's, it is named like the workload's other policies.
func netpolFile(doc netpol.Document) string {
	if doc.Workload.Namespace == "" {
		return FileStem(doc.Workload)
	}
	stem := strings.TrimSuffix(doc.Path, path.Ext(doc.Path))
	return strings.ReplaceAll(stem, "/", "-")
}

// amongOthers has the proof, which is of all network policies together, say how
// many of the flows are the policy's own.
func (p Policy) amongOthers(others int) Policy {
	if others == 0 {
		return p
	}
	own := make(map[string]bool)
	for _, line := range p.Lines {
		if line.Reason == reasonObserved {
			own[line.Subject] = true
		}
	}
	with := fmt.Sprintf("the other %d policies", others)
	if others == 1 {
		with = "the other policy"
	}
	p.Proof.Summary = fmt.Sprintf("%s; with %s: %s", plural(len(own), "flow"), with, p.Proof.Summary)
	return p
}

// reasonObserved is a flow that was seen.
const reasonObserved = "observed"

// netpolLines are the flows behind each rule, and what was assumed.
func netpolLines(s netpol.Synthesis, w policies.Workload) []Line {
	var lines []Line
	for _, r := range s.Reasons {
		if !samePod(r.Workload, w) {
			continue
		}
		for _, f := range r.Flows {
			lines = append(lines, Line{
				Subject: f.Flow, Reason: reasonObserved, Detail: viaDetail(f.Via), Seen: flowSeen(f.FlowEvidence, r.Direction),
				Rule: fmt.Sprintf("%s[%d]", strings.ToLower(string(r.Direction)), r.Rule),
			})
		}
	}
	for _, a := range s.Assumed {
		if samePod(a.Workload, w) {
			lines = append(lines, Line{Subject: a.Text, Reason: "assumed", Detail: a.What})
		}
	}
	return lines
}

func viaDetail(via string) string {
	if via == "" {
		return ""
	}
	return "through Service " + via
}

// flowSeen is the evidence at the end that the policy selects: in how many of
// its pods.
func flowSeen(e netpol.FlowEvidence, d netpol.Direction) *policies.Seen {
	return &policies.Seen{
		First: trace.Sighting{Time: e.First}, Count: e.Count, Containers: e.Replicas(d), Comms: e.Comms,
	}
}

func netpolNotes(s netpol.Synthesis, w policies.Workload) []string {
	var notes []string
	for _, u := range s.Unresolved {
		if samePod(u.Workload, w) {
			notes = append(notes, fmt.Sprintf("%s is not resolved: %s", u.Flow, u.Reason))
		}
	}
	for _, n := range s.Notes {
		if samePod(n.Workload, w) {
			notes = append(notes, n.Text)
		}
	}
	return notes
}

// samePod says that two workloads are containers of the same pods.
func samePod(a, b policies.Workload) bool {
	a.Container, b.Container = "", ""
	return a == b
}

// evidenceOf joins the evidence of the containers of each pod: the policy rests
// on all of them.
func evidenceOf(seen []policies.Observation) map[policies.Workload]policies.Evidence {
	joined := make(map[policies.Workload]policies.Evidence)
	for _, o := range seen {
		w := o.Workload
		w.Container = ""
		if before, ok := joined[w]; ok {
			joined[w] = joinEvidence(before, o.Evidence)
			continue
		}
		joined[w] = o.Evidence
	}
	return joined
}

// evidenceFor is what a document rests on: the pods it is for or, of one for a
// namespace or a machine, all that were seen there.
func evidenceFor(
	w policies.Workload, seen []policies.Observation, byPod map[policies.Workload]policies.Evidence,
) policies.Evidence {
	if e, ok := byPod[w]; ok {
		return e
	}
	var list []policies.Evidence
	for _, o := range seen {
		// What has no namespace is drafted for the default one.
		if w.Kind != kindNamespace || cmp.Or(o.Workload.Namespace, "default") == w.Namespace {
			list = append(list, o.Evidence)
		}
	}
	return together(list)
}

// kindNamespace is that of the policy that isolates all pods of a namespace.
const kindNamespace = "Namespace"

// joinSpan makes the time that was looked at that of both.
func joinSpan(all *policies.Evidence, e policies.Evidence) {
	if e.Start.Before(all.Start) {
		all.Start = e.Start
	}
	if e.End.After(all.End) {
		all.End = e.End
	}
	if e.LastNew.After(all.LastNew) {
		all.LastNew = e.LastNew
	}
}

// joinEvidence is the evidence of two containers of the same pods.
func joinEvidence(a, b policies.Evidence) policies.Evidence {
	joinSpan(&a, b)
	a.Replicas, a.Restarts = max(a.Replicas, b.Replicas), max(a.Restarts, b.Restarts)
	a.Late, a.Incomplete = max(a.Late, b.Late), max(a.Incomplete, b.Incomplete)
	a.Lost += b.Lost
	a.Losses = append(slices.Clone(a.Losses), b.Losses...)
	if a.Complete != b.Complete && a.Complete != trace.CompleteFalse {
		a.Complete = trace.CompleteUnknown
		if b.Complete == trace.CompleteFalse {
			a.Complete = b.Complete
		}
	}
	return a
}
