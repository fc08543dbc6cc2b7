package policies

import "fmt"

// Class is what a finding means for whoever enforces the manifest.
type Class string

// The classes of a finding, worst first.
const (
	Missing     Class = "missing"     // observed, but the manifest forbids it: enforcing breaks the workload
	Invalid     Class = "invalid"     // parses but cannot work, or would be refused
	Unprotected Class = "unprotected" // no profile, no policy selects it, capabilities not dropped
	Excess      Class = "excess"      // allowed, never observed: attack surface
	Unknown     Class = "unknown"     // cannot be decided from what is here
)

// Finding is one difference between what was observed and what is declared.
type Finding struct {
	Class    Class    `json:"class"`
	Rule     string   `json:"rule"` // "seccomp/missing-syscall", "netpol/missing-flow", "caps/unused" …
	Workload Workload `json:"workload"`
	Subject  string   `json:"subject"` // "getrandom", "-> shop/cart TCP/7070", "NET_RAW"
	// Message is the evidence in words: "seen 41x by nginx", "granted, never needed".
	Message  string   `json:"message"`
	Evidence []string `json:"evidence,omitempty"` // one line each, most telling first
	Position Position `json:"position,omitzero"`
	// Fingerprint is derived from the semantic key, never from text or line.
	Fingerprint string `json:"fingerprint,omitempty"`
}

// Position is a place in a manifest. Line and Column count from 1; 0 is unknown.
type Position struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// String is file:line:column, as far as known.
func (p Position) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Proof is the result of holding a synthesized policy against the observation
// it came from, by an evaluator that did not make it.
type Proof struct {
	Kind    string   `json:"kind"`             // seccomp, netpol, caps
	Checked int      `json:"checked"`          // facts and negatives evaluated
	Failed  []string `json:"failed,omitempty"` // what the policy gets wrong; empty when it holds
	// Summary is the proof in one line: "46 recorded calls allowed, 417 others refused with ENOSYS (2 evaluators agree)".
	Summary string `json:"summary"`
}

// OK says that the policy holds. A policy without a good proof is never printed.
func (p Proof) OK() bool { return len(p.Failed) == 0 }
