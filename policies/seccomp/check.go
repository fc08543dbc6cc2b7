package seccomp

import (
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/trace"
)

// The rules of findings about profiles and what was observed.
const (
	RuleMissing     = "seccomp/missing-syscall"     // made, and the profile refuses it
	RuleExcess      = "seccomp/excess-syscall"      // allowed, and never made
	RuleExcessArch  = "seccomp/excess-architecture" // allowed, and no such program seen
	RuleOpen        = "seccomp/default-allows"      // what no rule names is allowed
	RuleArguments   = "seccomp/unknown-arguments"   // depends on arguments not recorded
	RuleUnprotected = "seccomp/no-profile"          // nothing restricts the calls
	RuleRefused     = "seccomp/refused"             // the runtime would not load it
)

// Check holds a profile against what was observed: missing where it refuses a
// call that was made, or that a filter refused while recording; excess where it
// allows what was never made and nothing needs; unknown where arguments decide
// that were not recorded; invalid where it does not load.
func Check(p Profile, ctx Context, o policies.Observation) []policies.Finding {
	prog, err := Load(p, ctx)
	if err != nil {
		return []policies.Finding{p.refusedBy(err, o.Workload)}
	}
	c := checker{p, ctx, o, prog, nil}
	c.made()
	c.denied()
	c.excess()
	return c.found
}

// Unprotected is the finding for a workload that declares no profile.
func Unprotected(w policies.Workload, at policies.Position, message string) policies.Finding {
	return policies.Finding{
		Class: policies.Unprotected, Rule: RuleUnprotected, Workload: w,
		Subject: "no profile", Message: message, Position: at,
	}
}

func (p Profile) refusedBy(err error, w policies.Workload) policies.Finding {
	f := policies.Finding{
		Class: policies.Invalid, Rule: RuleRefused, Workload: w, Subject: "profile",
		Message: "a container with it would not start: " + err.Error(), Position: p.Position,
	}
	if problem, ok := err.(Problem); ok {
		f.Subject, f.Position = problem.Name, p.Place(problem.Rule, problem.Name)
	}
	return f
}

// checker is a check in the making.
type checker struct {
	p     Profile
	ctx   Context
	o     policies.Observation
	prog  *Program
	found []policies.Finding
}

func (c *checker) add(class policies.Class, rule, subject, message string, at policies.Position) {
	c.found = append(c.found, policies.Finding{
		Class: class, Rule: rule, Workload: c.o.Workload, Subject: subject,
		Message: message, Position: at,
	})
}

// made checks the calls that the filter must admit.
func (c *checker) made() {
	for _, s := range c.o.Syscalls {
		if !needed(s) {
			continue
		}
		refused, open, err := c.prog.fate(s)
		switch {
		case err != nil:
			c.add(policies.Unknown, RuleArguments, subject(s), err.Error(), c.p.Position)
		case refused == nil && open == nil:
		case refused != nil:
			if kernelLacks(s, c.o) && refused.a.Outcome == (Outcome{Errno, eNOSYS}) {
				continue
			}
			c.add(policies.Missing, RuleMissing, subject(s),
				fmt.Sprintf("%s, and gets %v%s (%s)", seen(s.Seen, s.Phase), refused.a.Outcome,
					when(refused.cube()), refused.a.Why), c.p.Place(refused.a.Rule, refused.a.Name))
		default:
			c.add(policies.Unknown, RuleArguments, subject(s),
				fmt.Sprintf("gets %v%s; %s, whether with such arguments was not recorded", open.a.Outcome,
					when(open.cube()), seen(s.Seen, s.Phase)), c.p.Place(open.a.Rule, open.a.Name))
		}
	}
}

// fate tells what happens to an observed call: refused is a set of seen calls
// none of which passes, open a part of a set of which others pass.
func (g *Program) fate(s policies.Syscall) (refused, open *leaf, err error) {
	for _, part := range parts(s) {
		passes, bad := false, (*leaf)(nil)
		err := walk(part, g.declared(part), nothing(), func(l leaf) {
			switch {
			case l.a.Action.Admits():
				passes = true
			case bad == nil:
				bad = &l
			}
		})
		switch {
		case err != nil:
			return nil, nil, err
		case bad != nil && passes && open == nil:
			open = bad
		case bad != nil && !passes && refused == nil:
			refused = bad
		}
	}
	return refused, open, nil
}

// subject names an observed call: with its architecture where that is not the
// host's own.
func subject(s policies.Syscall) string {
	name := nameOf(s)
	if name == "" {
		name = fmt.Sprint(s.Nr)
	}
	if a, ok := abiByAudit(s.Arch); ok && a.host == s.Arch {
		return name
	}
	return s.Arch + "/" + name
}

// seen is the evidence of a call in words.
func seen(s policies.Seen, phase trace.Phase) string {
	text := "seen"
	if s.Count > 0 {
		text += fmt.Sprintf(" %dx", s.Count)
	}
	if phase == trace.PhaseStart {
		text += " while the runtime set the container up"
	}
	if len(s.Comms) > 0 {
		return text + " by " + strings.Join(s.Comms, ", ")
	}
	if s.First.Comm != "" {
		return text + " by " + s.First.Comm
	}
	return text
}

// denied checks the calls that a filter refused while recording. A probe that
// got ENOSYS and would get it again is what libc has a way around for.
func (c *checker) denied() {
	for _, d := range c.o.Denied {
		name := trace.SyscallName(d.Arch, d.Nr)
		v := c.prog.Evaluate(Point{Arch: d.Arch, Nr: d.Nr})
		again := v.Outcome == Outcome{Errno, eNOSYS} && d.Action == trace.ErrnoName(eNOSYS)
		if v.Action.Admits() || again && slices.Contains(strings.Fields(probes), name) {
			continue
		}
		c.add(policies.Missing, RuleMissing, subject(policies.Syscall{Arch: d.Arch, Nr: d.Nr}),
			fmt.Sprintf("%s, and refused with %s by a filter while recording; gets %v (%s)",
				seen(d.Seen, ""), d.Action, v.Outcome, v.Why), c.p.Place(v.Rule, v.Name))
	}
}
