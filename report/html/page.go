package html

import (
	"cmp"
	"fmt"
	"time"

	"advisor/policies"
)

// Page is what the page shows: plain data, in any order.
type Page struct {
	Title     string   // names the whole, such as the traces' files; may be empty
	Traces    []string // where the observations came from, as the user named them
	Manifests []string // what they were held against; empty when nothing was
	Advisor   string   // version that made the page; may be empty
	Evidence  policies.Evidence
	Curve     Curve
	Workloads []Workload
	Flows     []Flow
	Patches   []Patch // of files that concern several workloads
	Risks     []Risk  // classes of system calls, worst first
	// Notes are sentences the reader needs before believing the rest, such as
	// "a.yaml:3: a Helm template, not read".
	Notes []string
}

// Curve is the learning curve: how many facts were new in each step of time.
// Its end is the best sign of whether recording went on for long enough.
type Curve struct {
	Start time.Time
	Step  time.Duration // 0 when there is no curve
	New   []int
}

// Workload is one workload and all there is to say of it.
type Workload struct {
	Workload policies.Workload
	// Other says that this is no workload but what findings or policies are
	// about beside them: a NetworkPolicy, a namespace, a pod of several.
	Other    bool
	Image    string
	Evidence policies.Evidence
	// Compared names the kinds that were held against a manifest: seccomp,
	// netpol, caps. A kind in it without a finding is clean.
	Compared []string
	Findings []policies.Finding
	// Standing is where the pod stands in the Pod Security Standards, nil where
	// no manifest was read.
	Standing     *Standing
	Capabilities []Capability
	Syscalls     []Syscall
	Policies     []Policy
	Patches      []Patch
}

// Standing is where a pod stands in the Pod Security Standards.
type Standing struct {
	Today string   // privileged, baseline or restricted, as declared
	Could string   // the same, with what was observed in place of what is declared
	Lines []string // what is in the way; those that begin with blanks belong to the one before
}

// Risk is a class of system calls.
type Risk struct {
	Name   string // "kernel attack surface"; the Risk of a [Syscall]
	Reason string // why the calls in it are in one class
	// Ordinary classes are listed last and without a word for each call.
	Ordinary bool
}

// Syscall is one system call of a workload, or one its policy allows.
type Syscall struct {
	Name string
	Risk string // name of a [Risk]; calls of no known class come last
	// Default is what the runtime's default profile does with it: "allowed",
	// "refused", "conditional", or empty where it is not known.
	Default string
	Reason  string // why it is in its class; may be empty for ordinary ones
	Phase   string // start, run, or both
	Seen    policies.Seen
}

// Key is the name of the fact in [Rule.Facts].
func (s Syscall) Key() string { return "syscall/" + s.Name }

// Need is what a capability is to a workload.
type Need string

// The needs, as the matrix shows them.
const (
	Needed     Need = "needed"     // used, and granted where that is known
	Unused     Need = "unused"     // granted, never needed
	NotGranted Need = "missing"    // needed, but not granted
	Incidental Need = "incidental" // asked for, but its absence changes nothing
	Undecided  Need = "unknown"
)

// Capability is one capability of a workload, without "CAP_".
type Capability struct {
	Name   string
	Need   Need
	Reason string // in words: "binds port 80", "granted, never needed"
	// Verified is what an experiment found: "necessary", "not needed", or empty
	// where none was made; Failed is how it failed without.
	Verified, Failed string
	Seen             policies.Seen
}

// Key is the name of the fact in [Rule.Facts].
func (c Capability) Key() string { return "capability/" + c.Name }

// NoNamespace is the namespace of peers that are workloads without one.
const NoNamespace = "containers"

// Peer is one end of a flow. Without a namespace it is no workload but an
// address, outside of what was watched.
type Peer struct {
	Namespace string
	Name      string // the workload's name without kind and container, or an address
}

// peer is a workload as the end of a flow.
func peer(w policies.Workload) Peer {
	return Peer{cmp.Or(w.Namespace, NoNamespace), w.Name}
}

// String is namespace/name, as far as known.
func (p Peer) String() string {
	if p.Namespace == "" {
		return p.Name
	}
	return p.Namespace + "/" + p.Name
}

// Flow is traffic from one peer to another, observed or allowed.
type Flow struct {
	From, To Peer
	Protocol string // TCP, UDP, SCTP; empty with port 0 is any
	Port     int    // 0 is any
	Ports    string // in words, where it is more than one
	// Class is empty for what is allowed and seen; else missing (seen, not
	// allowed), excess (allowed, never seen), unprotected (seen, no policy
	// selects it) or unknown.
	Class  policies.Class
	Reason string // what allows or refuses it, in words
	Seen   policies.Seen
}

// Service is protocol/port, "any" where both are open.
func (f Flow) Service() string {
	switch {
	case f.Ports != "":
		return f.Ports
	case f.Protocol == "":
		return "any"
	case f.Port == 0:
		return f.Protocol
	}
	return fmt.Sprintf("%s/%d", f.Protocol, f.Port)
}

// Key is the name of the fact in [Rule.Facts].
func (f Flow) Key() string {
	return fmt.Sprintf("flow/%s>%s/%s", f.From, f.To, f.Service())
}

// Policy is one generated document.
type Policy struct {
	Kind  string // seccomp, netpol, caps
	Name  string // its file name, "frontend.json"
	Text  string
	Proof policies.Proof // zero when it was not proven
	Notes []string       // choices and assumptions behind it
	Rules []Rule
}

// Rule ties lines of a policy to the facts that they are there for.
type Rule struct {
	First, Last int      // lines, from 1
	Facts       []string // keys of system calls, capabilities and flows
}

// Patch is the way from a committed file to what was observed.
type Patch struct {
	File string
	Text string // a unified diff
}
