package seccomp

import (
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/trace"
)

// Prove holds a synthesized profile against the observation: each recorded
// call is admitted, each call without a reason is refused as intended, on every
// architecture of the profile, for each runtime's handling of it.
func Prove(s Synthesis, o policies.Observation, ctx Context) policies.Proof {
	proof := policies.Proof{Kind: "seccomp"}
	prog, err := Load(s.Profile, ctx)
	if err != nil {
		proof.Failed = []string{"the profile does not load: " + err.Error()}
		proof.Summary = proof.Failed[0]
		return proof
	}
	c := count{proof: &proof, prog: prog, epermSeen: refusedWith(o, ePERM)}
	c.recorded(o)
	c.unrecorded(s)
	proof.Summary = c.summary()
	return proof
}

// count is a proof in the making.
type count struct {
	proof    *policies.Proof
	prog     *Program
	admitted int
	refused  int
	// epermSeen are calls that a filter refused with EPERM while recording.
	epermSeen []string
}

func (c *count) fail(format string, args ...any) {
	c.proof.Failed = append(c.proof.Failed, fmt.Sprintf(format, args...))
}

// recorded checks that each needed call passes.
func (c *count) recorded(o policies.Observation) {
	for _, s := range o.Syscalls {
		if !needed(s) {
			continue
		}
		c.proof.Checked++
		pt := Point{Arch: s.Arch, Nr: s.Nr}
		v := c.prog.Evaluate(pt)
		switch {
		case v.Action.Admits():
			c.admitted++
		case kernelLacks(s, o) && v.Outcome == Outcome{Errno, eNOSYS}:
		default:
			c.fail("recorded %v would get %v (%s)", pt, v.Outcome, v.Why)
		}
	}
}

// unrecorded checks every other number of the profile's architectures, and one
// beyond their tables.
func (c *count) unrecorded(s Synthesis) {
	allowed := map[string]bool{}
	for _, r := range s.Reasons {
		allowed[r.Name] = true
	}
	for _, a := range c.prog.archs {
		for nr := 0; nr <= trace.MaxSyscall(a.audit)+1; nr++ {
			name := trace.SyscallName(a.audit, nr)
			if name == "" || !allowed[name] {
				c.refusal(s.Profile, Point{Arch: a.audit, Nr: nr}, name)
			}
		}
	}
}

// refusal checks one call that must not pass.
func (c *count) refusal(p Profile, pt Point, name string) {
	c.proof.Checked++
	v := c.prog.Evaluate(pt)
	want := intended(p, name, c.epermSeen)
	if v.Outcome != want && !(v.Why == ByStub && !p.Default.Admits()) {
		c.fail("unrecorded %v would get %v, want %v", pt, v.Outcome, want)
		return
	}
	c.refused++
}

// intended is what a synthesized profile owes a call without a reason.
func intended(p Profile, name string, eperm []string) Outcome {
	switch p.Default.normal() {
	case Log:
		return Outcome{Action: Log}
	case KillProcess:
		if slices.Contains(strings.Fields(probes), name) {
			return Outcome{Errno, eNOSYS}
		}
		return Outcome{Action: KillProcess}
	}
	if name == "" {
		return outcome(p.Default, p.DefaultErrno) // a number without a name
	}
	if slices.Contains(eperm, name) {
		return Outcome{Errno, ePERM}
	}
	return Outcome{Errno, refusal(name)}
}

func (c *count) summary() string {
	text := fmt.Sprintf("%d recorded calls allowed", c.admitted)
	text += fmt.Sprintf(", %d others refused (1 evaluator)", c.refused)
	if n := len(c.proof.Failed); n > 0 {
		text = fmt.Sprintf("%d failures: %s", n, c.proof.Failed[0])
	}
	return text
}
