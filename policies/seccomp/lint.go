package seccomp

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/trace"
)

// The rules of findings about a profile by itself.
const (
	RuleInvalid     = "seccomp/invalid"              // cannot work, or a runtime refuses it
	RuleUnknownName = "seccomp/unknown-syscall"      // no known architecture has a call of that name
	RuleShadowed    = "seccomp/shadowed-rule"        // never decides anything
	RuleContested   = "seccomp/contested"            // rules with different outcomes overlap
	RuleWidth       = "seccomp/width-bypass"         // evaded through the upper half of an int
	RuleNotCompiled = "seccomp/not-compiled"         // libseccomp may not return from compiling them
	RuleMultiplexed = "seccomp/multiplexer-bypass"   // evaded through socketcall or ipc
	RuleCompiled    = "seccomp/compiled-differs"     // libseccomp makes something else of the rules
	RuleMissingArch = "seccomp/missing-architecture" // programs of it are killed
)

// Lint finds what is wrong with a profile whatever the workload does: what
// cannot work, what never takes effect, and what can be evaded.
func Lint(p Profile, ctx Context) []policies.Finding {
	l := linter{p: p, ctx: ctx}
	l.profile()
	for i, r := range p.Rules {
		l.rule(i, r)
	}
	if err := p.refusal(ctx); err != nil && len(l.found) == 0 {
		l.found = append(l.found, p.refusedBy(err, policies.Workload{}))
	}
	prog, err := p.program(ctx)
	switch {
	case err == nil:
		l.prog = prog
		l.effects()
	case len(l.found) == 0:
		l.found = append(l.found, p.refusedBy(err, policies.Workload{}))
	}
	slices.SortStableFunc(l.found, func(a, b policies.Finding) int {
		return cmp.Or(cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Column, b.Position.Column),
			strings.Compare(a.Rule, b.Rule), strings.Compare(a.Subject, b.Subject))
	})
	return l.found
}

type linter struct {
	p     Profile
	ctx   Context
	prog  *Program
	found []policies.Finding
}

func (l *linter) add(
	class policies.Class, rule, subject string, at policies.Position, format string, args ...any,
) {
	l.found = append(l.found, policies.Finding{
		Class: class, Rule: rule, Subject: subject, Position: at, Message: fmt.Sprintf(format, args...),
	})
}

func (l *linter) invalid(subject string, at policies.Position, format string, args ...any) {
	l.add(policies.Invalid, RuleInvalid, subject, at, format, args...)
}

// profile checks what stands outside of rules.
func (l *linter) profile() {
	p, at := l.p, l.p.Position
	if p.Disabled {
		l.invalid("state", p.place("state"), "the profile is disabled: containers that name it do not start")
		return
	}
	l.action("defaultAction", p.Default, p.DefaultErrno, at, p.place("defaultErrnoRet", "defaultErrno"))
	if p.Default == Notify {
		l.invalid("defaultAction", at,
			"%s as default would stop the runtime itself; runtimes refuse it", Notify)
	}
	if len(p.Architectures) > 0 && len(p.ArchMap) > 0 {
		l.invalid("architectures", p.place("architectures"), "%v", errArchTwice)
	}
	for _, a := range p.Architectures {
		switch {
		case !a.known() && (a != Native || p.Format != SPO && p.Format != SPOBeta):
			l.invalid(string(a), p.place(string(a)), "%q is not an architecture; runtimes refuse it", a)
		case a.bigEndian():
			l.invalid(string(a), p.place(string(a)), "%s has another byte order than x86 and ARM; runtimes refuse it there", a)
		}
	}
	for _, f := range p.Flags {
		if !slices.Contains(flags[:], f) {
			l.invalid(f, p.place(f), "%q is not a flag; runtimes refuse it", f)
		}
	}
	if p.ListenerMetadata != "" && p.ListenerPath == "" {
		l.invalid("listenerMetadata", p.place("listenerMetadata"), "listenerMetadata without listenerPath, which the runtime specification forbids")
	}
	if p.Base != "" {
		l.add(policies.Unknown, "seccomp/base-profile", p.Base, p.place("baseProfileName"),
			"what the base profile %q allows is not known here", p.Base)
	}
}

// action checks an action and the errno that goes with it, which stands at its
// own place.
func (l *linter) action(subject string, a Action, errno *uint, at, errnoAt policies.Position) {
	switch {
	case !a.known():
		l.invalid(subject, at, "%q is not an action; runtimes refuse it", a)
	case errno != nil && !a.takesErrno():
		l.invalid(subject, errnoAt, "%s takes no errno; crun refuses it, and runc passes over it", a)
	case errno != nil && a == Errno && *errno > maxTaken:
		l.invalid(subject, errnoAt, "errno %d: libseccomp takes %d at most", *errno, maxTaken)
	}
}

// rule checks one entry.
func (l *linter) rule(i int, r Rule) {
	at := l.p.Place(i, "")
	subject := fmt.Sprintf("syscalls[%d]", i)
	if len(r.Names) == 0 {
		l.invalid(subject, at, "an entry without names does nothing, and is none by the runtime specification")
	}
	l.action(subject, r.Action, r.Errno, at, at)
	for _, name := range r.Names {
		place := l.p.Place(i, name)
		switch {
		case name == "":
			l.invalid(subject, place, "an empty name; runc refuses it")
		case !anywhere(name):
			l.add(policies.Unknown, RuleUnknownName, name, place,
				"not a call of x86 or ARM up to Linux %s; runtimes leave out names they do not know",
				trace.TablesKernel)
		case r.Action == Notify && name == "write":
			l.invalid(name, place, "%s for write would stop the runtime itself; runc refuses it", Notify)
		}
	}
	if r.Action == Notify && l.p.ListenerPath == "" {
		l.invalid(subject, at, "%s without listenerPath: runc refuses it, and under crun such calls get ENOSYS", Notify)
	}
	for _, a := range r.Args {
		l.arg(subject, a, at)
	}
	for _, c := range append(slices.Clone(r.Includes.Caps), r.Excludes.Caps...) {
		if !wholeCap(c) {
			l.invalid(subject, at, "capability %q: engines know only words such as CAP_SYS_ADMIN, so that the container never has it", c)
		}
	}
}

func (l *linter) arg(subject string, a Arg, at policies.Position) {
	switch {
	case a.Index > 5:
		l.invalid(subject, at, "argument %d: calls have arguments 0 to 5", a.Index)
	case !a.Op.known():
		l.invalid(subject, at, "%q is not a comparison; runtimes refuse it", a.Op)
	case a.Op == MaskedEqual && a.ValueTwo&^a.Value != 0:
		l.invalid(subject, at, "argument %d: the wanted value %#x has bits outside the mask %#x, which do not count",
			a.Index, a.ValueTwo, a.Value)
	}
}
