package seccomp

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/policies/seccomp/libseccomp"
)

// Prove holds a synthesized profile against the observation, under each of
// contexts (without a runtime: the newest runc, and crun; on the observed host).
// Each recorded call must be admitted with the arguments it had, and each
// number without a reason refused with the errno meant for it, on every
// architecture of the profile. It asks two evaluators that did not make the
// profile: our reading of the rules, and the program that libseccomp compiles,
// where that is in this build.
func Prove(s Synthesis, o policies.Observation, contexts ...Context) policies.Proof {
	pf := proof{
		s: s, o: o, eperm: refusedWith(o, ePERM),
		allowed: map[string]bool{}, partly: map[string]bool{},
	}
	pf.Kind = "seccomp"
	for _, r := range s.Reasons {
		pf.allowed[r.Name] = true
		pf.partly[r.Name] = r.Args > 0
	}
	for i, ctx := range complete(contexts, o) {
		pf.counting = i == 0
		pf.under(ctx)
	}
	pf.Summary = pf.summary()
	return pf.Proof
}

// complete fills in the observed host, and both runtimes where none is named.
func complete(contexts []Context, o policies.Observation) []Context {
	if len(contexts) == 0 {
		contexts = []Context{{}}
	}
	var list []Context
	for _, ctx := range contexts {
		ctx.Arch = cmp.Or(ctx.Arch, hostOf(o))
		if ctx.Runtime != "" {
			list = append(list, ctx)
			continue
		}
		for _, runtime := range [...]string{Runc, Crun} {
			ctx.Runtime = runtime
			list = append(list, ctx)
		}
	}
	return list
}

// hostOf is the architecture of the kernels that were observed, by the calls.
func hostOf(o policies.Observation) string {
	for _, s := range o.Syscalls {
		if a, ok := abiByAudit(s.Arch); ok {
			return a.host
		}
	}
	return ""
}

// proof is a proof in the making.
type proof struct {
	policies.Proof
	s        Synthesis
	o        policies.Observation
	allowed  map[string]bool // names with a reason
	partly   map[string]bool // of these, names with conditions
	eperm    []string        // refused with EPERM while recording
	counting bool            // the first context: facts are counted once

	admitted, refused int
	unknown           []string // names that this build's libseccomp does not know
	compiled          bool     // libseccomp was asked
	notAsked          error    // why it was not
	dropped           int      // failures beyond those kept
}

// evaluator is one of those that are asked.
type evaluator struct {
	name string
	of   func(cell) decider
	skip []string // names it does not know
}

// maxFailed is how many failures a proof keeps; the rest is counted.
const maxFailed = 20

func (pf *proof) fail(format string, args ...any) {
	if len(pf.Failed) == maxFailed {
		pf.dropped++
		return
	}
	pf.Failed = append(pf.Failed, fmt.Sprintf(format, args...))
}

func (pf *proof) under(ctx Context) {
	prog, err := Load(pf.s.Profile, ctx)
	if err != nil {
		pf.fail("under %v the profile does not load: %v", ctx, err)
		return
	}
	list := []evaluator{{name: "rules", of: prog.declared}}
	switch bin, err := Compile(pf.s.Profile, ctx); {
	case err == nil:
		ask := bin.compiled()
		list = append(list, evaluator{"compiled", func(cell) decider { return ask }, bin.Unknown})
		pf.compiled, pf.unknown = true, bin.Unknown
	case errors.Is(err, libseccomp.ErrNotLinked), errors.Is(err, libseccomp.ErrNotAsked):
		pf.notAsked = err
	default:
		pf.fail("under %v: %v", ctx, err)
	}
	for i, e := range list {
		count := pf.counting && i == 0
		pf.recorded(e, ctx, count)
		pf.unrecorded(e, prog, ctx, count)
	}
}

// recorded checks that each needed call passes, whatever was not recorded of
// its arguments.
func (pf *proof) recorded(e evaluator, ctx Context, count bool) {
	for _, s := range pf.o.Syscalls {
		if !needed(s) || slices.Contains(e.skip, nameOf(s)) {
			continue
		}
		if count {
			pf.Checked++
		}
		bad, err := refusedOf(s, e)
		switch {
		case err != nil:
			pf.fail("%v", err)
		case bad == nil:
			if count {
				pf.admitted++
			}
		case kernelLacks(s, pf.o) && bad.a.Outcome == Outcome{Errno, eNOSYS}:
		default:
			pf.fail("recorded %v would get %v%s (%s, under %v)",
				bad.cell.point(bad.cube().Witness()), bad.a.Outcome, when(bad.cube()), e.name, ctx)
		}
	}
}

func (pf *proof) summary() string {
	if n := len(pf.Failed); n > 0 {
		return fmt.Sprintf("not proven, %d failures: %s", n+pf.dropped, pf.Failed[0])
	}
	text := fmt.Sprintf("%d recorded calls allowed, %d others %s", pf.admitted, pf.refused,
		pf.refusedHow())
	switch {
	case pf.compiled:
		text += fmt.Sprintf(" (2 evaluators agree: rules, and the program compiled by libseccomp %s)",
			libseccomp.Version())
	case errors.Is(pf.notAsked, libseccomp.ErrNotAsked):
		text += fmt.Sprintf(" (1 evaluator; %v)", pf.notAsked)
	default:
		text += " (1 evaluator; libseccomp is not in this build)"
	}
	return text + pf.unknownNames()
}

// unknownNames tells of the names that runtimes with this build's libseccomp
// leave out: those that should be allowed one by one, the refused ones, which
// then get the default action, by their number.
func (pf *proof) unknownNames() string {
	var allowed []string
	for _, name := range pf.unknown {
		if pf.allowed[name] {
			allowed = append(allowed, name)
		}
	}
	text := ""
	if len(allowed) > 0 {
		text += fmt.Sprintf("; unknown to libseccomp %s, which leaves them out: %s",
			libseccomp.Version(), strings.Join(allowed, ", "))
	}
	if n := len(pf.unknown) - len(allowed); n > 0 {
		text += fmt.Sprintf("; %d refused names are unknown to libseccomp %s and get the default action",
			n, libseccomp.Version())
	}
	return text
}

func (pf *proof) refusedHow() string {
	switch pf.s.Profile.Default.normal() {
	case Log:
		return "logged"
	case KillProcess:
		return "killed, or refused with ENOSYS"
	}
	return "refused with ENOSYS or EPERM"
}
