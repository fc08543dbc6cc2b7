// Package proof holds a finished seccomp profile against the facts it was made
// from. It is the synthesizer's second author: it shares no code, no table and
// no idea of the intended answers with package seccomp, and does not import it
// (a test holds that). It takes the profile as the bytes that are printed,
// reads them by itself, and states by itself what they owe:
//
//   - Every call that was recorded and meets the filter passes, with the
//     arguments it had.
//   - What runtimes and libraries are known to need besides passes too.
//   - Every other call of every architecture of the host, numbers without a
//     name included, gets exactly the answer that the documentation promises
//     (docs/seccomp.md, "What the others get").
//
// Two evaluators are asked: a reading of the rules after the runtime
// specification and libseccomp's documented precedence, and the program that
// libseccomp compiles from the bytes as runc and crun have it compiled. Both
// are asked about all values of all arguments; each answer about a set of calls
// is checked once more on a member of it, one instruction at a time.
package proof

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/trace"
)

// Claim is a finished profile and everything it was made from.
type Claim struct {
	Facts   policies.Observation
	Profile []byte // as it is printed, in any of the formats with rules
	Asked   Asked
	// Reasons is why each call is said to be allowed, by architecture and
	// name; nil where nothing is said.
	Reasons []Reason
}

// Reason is what a profile's maker says of one call.
type Reason struct {
	Arch, Name string
	Because    string // workload, user, runtime-floor, libc-fallback, vdso
}

// Asked is what the user wanted besides what was recorded.
type Asked struct {
	Add       []string // calls to allow
	Base      []byte   // a profile whose calls are allowed too
	Action    string   // errno (also empty), kill or log
	Runtime   string   // "runc", "crun 1.8.1"; empty or auto: as recorded, else both
	Arguments bool     // recorded arguments restrict calls
	// NoNewPrivileges is nil where the traces decide.
	NoNewPrivileges *bool
	// SpeltOut says that the profile has no errno for its default action: calls
	// are refused by name, and numbers without a name get EPERM.
	SpeltOut bool
	// Capabilities, Engine and Kernel decide about conditions in Base.
	Capabilities []string
	Engine       string
	Kernel       string
}

// Prove checks the claim. A profile that cannot be read is a failure, not an
// error: what is printed must be readable.
func Prove(c Claim) policies.Proof {
	p := proof{Claim: c, host: hostOf(c.Facts)}
	p.Kind = "seccomp"
	doc, err := read(c.Profile)
	if err != nil {
		p.fail("the profile cannot be read: %v", err)
		return p.end()
	}
	p.facts()
	p.licences()
	p.claims(doc)
	for i, ctx := range p.contexts() {
		p.under(doc, ctx, i == 0)
	}
	return p.end()
}

// proof is a proof in the making.
type proof struct {
	policies.Proof
	Claim
	host     string // audit architecture of the kernel
	recorded []fact
	refused  map[string]bool // names that a filter answered with EPERM while recording
	grants   map[string]*grant
	base     *reading // nil: none

	admitted, others int
	skipped          map[string]bool // names that libseccomp does not know
	dropped          int             // failures beyond those kept
	silent           error           // why libseccomp was not asked
}

// maxFailed is how many failures are kept; the rest is counted.
const maxFailed = 20

func (p *proof) fail(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if slices.Contains(p.Failed, text) {
		return
	}
	if len(p.Failed) == maxFailed {
		p.dropped++
		return
	}
	p.Failed = append(p.Failed, text)
}

// setting is what a profile is loaded by.
type setting struct {
	runtime, version string // "runc", "1.2.9"; no version is the newest
	host             string
}

func (s setting) String() string {
	return strings.TrimSpace(s.runtime + " " + s.version)
}

// contexts are the runtime asked for, else the newest of both.
func (p *proof) contexts() []setting {
	family, version, _ := strings.Cut(p.Asked.Runtime, " ")
	if family == "runc" || family == "crun" {
		return []setting{{family, version, p.host}}
	}
	return []setting{{"runc", "", p.host}, {"crun", "", p.host}}
}

// hostOf is the kernel's architecture, by the programs that were seen.
func hostOf(o policies.Observation) string {
	for _, s := range o.Syscalls {
		if s.Arch == trace.ArchAarch64 || s.Arch == trace.ArchArm {
			return trace.ArchAarch64
		}
	}
	return trace.ArchX8664
}

func (p *proof) end() policies.Proof {
	p.Summary = p.summary()
	return p.Proof
}

func (p *proof) summary() string {
	if n := len(p.Failed); n > 0 {
		return fmt.Sprintf("not proven, %d failures: %s", n+p.dropped, p.Failed[0])
	}
	calls := "calls"
	if p.admitted == 1 {
		calls = "call"
	}
	text := fmt.Sprintf("%d recorded %s allowed, %d others %s", p.admitted, calls, p.others, p.how())
	switch {
	case p.silent == nil:
		text += fmt.Sprintf(" (2 evaluators agree: rules, and the program compiled by libseccomp %s)", linked())
	default:
		text += fmt.Sprintf(" (1 evaluator; %v)", p.silent)
	}
	return text + p.unknownNames()
}

func (p *proof) how() string {
	switch cmp.Or(p.Asked.Action, "errno") {
	case "log":
		return "logged"
	case "kill":
		return "killed, or refused with ENOSYS"
	}
	return "refused with ENOSYS or EPERM"
}

// unknownNames tells of the names that runtimes with this build's libseccomp
// leave out: the allowed ones each, the refused ones by their number.
func (p *proof) unknownNames() string {
	var allowed []string
	for name := range p.skipped {
		if p.grants[name] != nil {
			allowed = append(allowed, name)
		}
	}
	slices.Sort(allowed)
	text := ""
	if len(allowed) > 0 {
		text = fmt.Sprintf("; unknown to libseccomp %s, which leaves them out: %s", linked(), strings.Join(allowed, ", "))
	}
	if n := len(p.skipped) - len(allowed); n > 0 {
		text += fmt.Sprintf("; %d refused names are unknown to libseccomp %s and get the default action", n, linked())
	}
	return text
}
