// Package report turns traces and manifests into policies and findings, and
// renders them, one renderer a file.
//
// Rules it keeps:
//
//   - A policy is held against the observation it came from before it is shown;
//     one that fails its proof is never returned.
//   - Same input, same bytes: everything is sorted, nothing depends on the
//     clock, and paths stand as the user wrote them.
//   - A [Report] holds all that any renderer needs, and reads back from its own
//     JSON: what is rendered later is the same as what is rendered now.
package report

import (
	"slices"

	"advisor/policies"
	"advisor/policies/caps"
	"advisor/policies/netpol"
)

// Schema is the value of [Report.Schema] that this package reads and writes.
const Schema = "advisor.report/v1"

// Report is what traces say, alone or held against manifests.
type Report struct {
	Schema    string   `json:"schema"`
	Advisor   string   `json:"advisor,omitempty"`   // version that made it
	Traces    []string `json:"traces"`              // as they were named
	Manifests []string `json:"manifests,omitempty"` // files that were read, sorted
	// Workloads are those that were observed and, of a comparison, those that
	// are declared too; sorted by [policies.Workload.Compare].
	Workloads []Workload `json:"workloads"`
	// Flows are the connections that were observed or, of a comparison, that
	// the manifests allow.
	Flows []Flow `json:"flows,omitempty"`
	// PodSecurity is where each declared pod stands in the Pod Security
	// Standards, sorted by workload.
	PodSecurity []caps.Standing `json:"podSecurity,omitempty"`
	// Findings are those that are neither ignored nor in the baseline, worst
	// first. Empty, never nil, where there is nothing to say.
	Findings []policies.Finding `json:"findings"`
	// Patches end the findings that a change of the manifests can end. Only
	// where policies were asked for too.
	Patches []Patch `json:"patches,omitempty"`
	// Ignored are findings that the ignore file or the baseline takes out.
	Ignored []Ignored `json:"ignored,omitempty"`
	// Audit is what became of each entry of the ignore file, in its order.
	Audit []Audit `json:"audit,omitempty"`
	// Problems are inputs that could not be read or used, and why.
	Problems []Problem `json:"problems,omitempty"`
}

// Patch is a unified diff of one file of the manifests.
type Patch struct {
	File string `json:"file"`
	Text string `json:"text"`
}

// Workload is one workload and everything known of it.
type Workload struct {
	policies.Workload
	Observed bool              `json:"observed"` // in the traces
	Declared bool              `json:"declared"` // in the manifests
	Evidence policies.Evidence `json:"evidence,omitzero"`
	Policies []Policy          `json:"policies,omitempty"` // by kind
}

// Policy is one policy made for a workload, proven.
type Policy struct {
	Kind     string            `json:"kind"` // seccomp, netpol or caps
	Workload policies.Workload `json:"workload"`
	Format   string            `json:"format"`
	File     string            `json:"file"` // a stable name for a file of it
	Text     string            `json:"text"`
	Proof    policies.Proof    `json:"proof"`
	Lines    []Line            `json:"lines,omitempty"` // what it allows, each with its reason
	Notes    []string          `json:"notes,omitempty"` // choices and assumptions
	Evidence policies.Evidence `json:"-"`               // of the observation it was made from
	// PodSecurity is what the Pod Security Standards say of a pod of this
	// container alone, with the policy in force; of lists for Kubernetes only.
	PodSecurity *caps.Verdict `json:"podSecurity,omitempty"`
	// Verified is the experiment that a list of capabilities takes into account.
	Verified *caps.Verified `json:"verified,omitempty"`
}

// Line is one thing that a policy allows, and why.
type Line struct {
	Subject string `json:"subject"` // "openat", "CHOWN", "-> shop/cart TCP/7070"
	Reason  string `json:"reason"`  // "workload", "runtime-floor", "needed", …
	Detail  string `json:"detail,omitempty"`
	// Rule is the rule of a network policy that is there for it: "egress[2]".
	Rule string `json:"rule,omitempty"`
	// Seen is the evidence where it was observed.
	Seen *policies.Seen `json:"seen,omitempty"`
	// Phase is "start" or "run" where that is known.
	Phase string `json:"phase,omitempty"`
	// Verified is what an experiment says of it, nil where none was made.
	Verified *caps.Trial `json:"verified,omitempty"`
}

// Flow is traffic between two ends, each a workload or an address.
type Flow struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Protocol string `json:"protocol"`
	Port     int    `json:"port"`
	// Ports are those that are allowed, where it is not one: "TCP 80,443".
	Ports    string `json:"ports,omitempty"`
	Via      string `json:"via,omitempty"`   // the Service that was dialled
	Class    string `json:"class,omitempty"` // dns, external, …; empty between workloads
	Observed bool   `json:"observed"`
	// Allowed is what the declared policies make of it: allowed, denied or
	// unknown; empty where nothing was compared.
	Allowed string `json:"allowed,omitempty"`
	Reason  string `json:"reason,omitempty"` // of Allowed, in words
	// Ungoverned says that no policy selects either end.
	Ungoverned bool                `json:"ungoverned,omitempty"`
	Evidence   netpol.FlowEvidence `json:"evidence,omitzero"`
}

// Problem is something that kept an input from being used in full.
type Problem struct {
	Position policies.Position `json:"position,omitzero"`
	Message  string            `json:"message"`
}

// String is the problem with its place.
func (p Problem) String() string {
	if at := p.Position.String(); at != "" {
		return at + ": " + p.Message
	}
	return p.Message
}

// Kinds of policy, in the order in which reports show them.
const (
	KindSeccomp = "seccomp"
	KindNetpol  = "netpol"
	KindCaps    = "caps"
)

// Kinds are all kinds of policy, in the order of reports.
func Kinds() []string { return []string{KindSeccomp, KindNetpol, KindCaps} }

// Count is how many findings are of a class.
func (r *Report) Count(class policies.Class) int {
	n := 0
	for _, f := range r.Findings {
		if f.Class == class {
			n++
		}
	}
	return n
}

// Selected says that a finding is of one of the classes.
func (r *Report) Selected(classes []policies.Class) bool {
	return slices.ContainsFunc(r.Findings, func(f policies.Finding) bool {
		return slices.Contains(classes, f.Class)
	})
}

// Classes are the classes of findings, worst first.
func Classes() []policies.Class {
	return []policies.Class{
		policies.Missing, policies.Invalid, policies.Unprotected, policies.Excess, policies.Unknown,
	}
}

// byWorkload groups findings, the workload with the worst finding first.
func byWorkload(findings []policies.Finding) [][]policies.Finding {
	var groups [][]policies.Finding
	at := make(map[policies.Workload]int)
	for _, f := range findings { // sorted worst first
		i, ok := at[f.Workload]
		if !ok {
			i = len(groups)
			at[f.Workload] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], f)
	}
	return groups
}
