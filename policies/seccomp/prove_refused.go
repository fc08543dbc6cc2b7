package seccomp

import (
	"slices"
	"strings"

	"advisor/trace"
)

// intended is what a synthesized profile owes a call without a reason.
func (pf *proof) intended(name string) Outcome {
	p := pf.s.Profile
	switch p.Default.normal() {
	case Log:
		return Outcome{Action: Log}
	case KillProcess:
		if slices.Contains(strings.Fields(probes), name) {
			return Outcome{Errno, eNOSYS}
		}
		return Outcome{Action: KillProcess}
	}
	switch {
	case name == "":
		return outcome(p.Default, p.DefaultErrno) // a number without a name
	case slices.Contains(strings.Fields(probes), name):
		// Also where a filter said EPERM while recording: for a call with a
		// fallback, ENOSYS is what every libc understands.
		return Outcome{Errno, eNOSYS}
	case slices.Contains(pf.eperm, name):
		return Outcome{Errno, ePERM}
	}
	return Outcome{Errno, refusal(name)}
}

// unrecorded checks every number of the profile's architectures: those without
// a reason are refused as intended, those with one admitted or, where
// conditions keep some arguments out, refused as intended.
func (pf *proof) unrecorded(e evaluator, prog *Program, ctx Context, count bool) {
	for _, a := range prog.archs {
		if !slices.Contains(pf.s.Profile.Architectures, a.token) {
			continue
		}
		for _, c := range cells(a) {
			name := trace.SyscallName(a.audit, c.nr)
			if slices.Contains(e.skip, name) {
				continue
			}
			if count && !pf.allowed[name] {
				pf.Checked++
				pf.refused++
			}
			err := walk(c, e.of(c), nothing(), func(l leaf) { pf.leaf(l, name, prog, e, ctx) })
			if err != nil {
				pf.fail("%v", err)
			}
		}
	}
}

// leaf checks a part of the calls of one number.
func (pf *proof) leaf(l leaf, name string, prog *Program, e evaluator, ctx Context) {
	pt := l.cell.point(l.cube().Witness())
	want := pf.intended(name)
	stub := ctx.Runtime == Runc && (want.Action == KillProcess || name == "") &&
		l.a.Outcome == Outcome{Errno, eNOSYS}
	switch {
	case l.a.Outcome == want || stub:
	case pf.partly[name] && l.a.Outcome == outcome(pf.s.Profile.Default, pf.s.Profile.DefaultErrno):
	case l.a.Action.Admits() && pf.allowed[name]:
	case l.a.Action.Admits() && pf.allowed[prog.Evaluate(pt).Name]: // through a multiplexer
	default:
		pf.fail("unrecorded %v would get %v%s, want %v (%s, under %v)",
			pt, l.a.Outcome, when(l.cube()), want, e.name, ctx)
	}
}
