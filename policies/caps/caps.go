// Package caps turns capability checks that were seen into the capabilities a
// workload needs, and holds those against what manifests declare.
//
// That a capability was checked does not mean that it is needed: the kernel
// asks for several on the way of nearly every call. So each check gets a
// [Class] with a reason, in this order:
//
//   - runtime: before the workload's first exec
//   - incidental: made under other credentials than the task's own, or at a
//     place in the kernel that goes on without the capability ([CallSites])
//   - foreign: asked in a user namespace that the container cannot be granted to
//   - harmless, denied: refused, and the call succeeded, or failed
//   - alternative: one of several capabilities would do ([Groups])
//   - needed: granted, the call succeeded, and nothing above applies
//
// The list of [Synthesize] drops ALL and adds what is needed, with one of each
// set of alternatives. [Prove] replays the observation against it.
package caps

import "advisor/policies"

// Class is what a capability check says about the workload's needs.
type Class string

// The classes of a check.
const (
	Needed      Class = "needed"      // granted, and the call succeeded by it
	Alternative Class = "alternative" // one of Fact.AnyOf is needed
	Denied      Class = "denied"      // refused, and the call failed: never added
	Harmless    Class = "harmless"    // refused, and the call succeeded
	Incidental  Class = "incidental"  // asked on the way; the answer changed nothing
	Runtime     Class = "runtime"     // the container runtime's own
	Foreign     Class = "foreign"     // asked in a user namespace that cannot be granted to
)

// Classes are all classes, the most telling first.
func Classes() []Class {
	return []Class{Needed, Alternative, Denied, Harmless, Incidental, Runtime, Foreign}
}

// Fact is one kind of capability check and what it says.
type Fact struct {
	policies.Capability
	Class  Class
	Reason string // one clause a person can read, lower case
	// AnyOf are the capabilities of which one would do, in the order the kernel
	// asks; only where Class is Alternative.
	AnyOf []string
	// Source is where in the kernel the row of [CallSites] or [Groups] that
	// decided comes from; empty where the rule of the class decided.
	Source string
}

// Options say what a list is made for.
type Options struct {
	// Engine resolves the list: one of [Engines], "" for kubernetes.
	Engine string
	// PortStart is net.ipv4.ip_unprivileged_port_start where the workload will
	// run, nil to take it as it was while recording.
	PortStart *int
	// SeccompProfile is the path below the kubelet's seccomp folder of a profile
	// to name in the security context; empty for none of ours.
	SeccompProfile string
	// Verified is what an experiment with the workload found, nil where none
	// was made. What it showed to be necessary is added; Least takes out what it
	// showed to be spare, and lets restrictions hold that the trace leaves open.
	Verified *Verified
	Least    bool
}

// Synthesis is the list for one workload and what it rests on.
type Synthesis struct {
	Workload policies.Workload
	Engine   string
	// PortStart is net.ipv4.ip_unprivileged_port_start where it is to run, nil for
	// what it was while recording.
	PortStart *int
	Add       []string  // without "CAP_", sorted
	Drop      []string  // ALL
	Facts     []Fact    // every kind of check, classified, in the observation's order
	Verified  *Verified // the experiment taken into account, nil for none
	Spared    []string  // inferred, and left out because the experiment passed without, sorted
	Security  Security
	Root      Root // what was seen of the root file system
	// Standing is what the Pod Security Standards say of a pod of this container
	// alone, with this list and this security context.
	Standing Verdict
	// Caveats are reasons why the list may be wrong elsewhere or incomplete.
	Caveats []string
	// Notes explain choices.
	Notes []string
}

// Security is the rest of a container's security context: only what the trace
// supports, nil or empty otherwise.
type Security struct {
	AllowPrivilegeEscalation *bool
	RunAsNonRoot             *bool
	RunAsUser                *int64
	RunAsGroup               *int64
	ReadOnlyRootFilesystem   *bool
	// Tmpfs are the directories that a read-only root file system takes a tmpfs or
	// an emptyDir at, sorted; empty where it is not known to do with these.
	Tmpfs          []string
	SeccompType    string // RuntimeDefault or Localhost
	SeccompProfile string // path of a Localhost profile
}
