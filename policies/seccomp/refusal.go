package seccomp

import (
	"fmt"
	"slices"
)

// refusal is why no container starts under the profile, as far as that does not
// hang on what several rules say together: the words that no runtime knows, what
// libseccomp does not take, and what the context's runtime checks by itself.
// Tests hold it against runc and crun.
func (p Profile) refusal(ctx Context) error {
	if err := p.wholeRefusal(ctx); err != nil {
		return err
	}
	r, err := p.resolve(ctx)
	if err != nil {
		return err
	}
	for _, a := range r.listed {
		if !a.known() || a.bigEndian() {
			return fmt.Errorf("architecture %q: not one that goes with the host's", a)
		}
	}
	for _, i := range r.rules {
		if text, name := p.Rules[i].refusal(ctx, p.ListenerPath != ""); text != "" {
			return Problem{i, name, text}
		}
	}
	return nil
}

// wholeRefusal looks at what stands outside of rules.
func (p Profile) wholeRefusal(ctx Context) error {
	switch {
	case !p.Default.known():
		return fmt.Errorf("default action %q: not an action", p.Default)
	case p.Default == Notify:
		return fmt.Errorf("default action %s: the runtime itself would wait for an answer", Notify)
	case errnoRefused(p.Default, p.DefaultErrno):
		return fmt.Errorf("default errno %d: libseccomp takes %d at most", *p.DefaultErrno, maxTaken)
	case ctx.Runtime == Crun && p.DefaultErrno != nil && !p.Default.takesErrno():
		return fmt.Errorf("default action %s takes no errno", p.Default)
	case ctx.Runtime == Runc && !atLeast(ctx.RuntimeVersion, flagsFrom) && len(p.Flags) > 0:
		return fmt.Errorf("flags %v: runc %s takes none", p.Flags, ctx.RuntimeVersion)
	}
	for _, f := range p.Flags {
		if !slices.Contains(flags[:], f) {
			return fmt.Errorf("flag %q: not one", f)
		}
	}
	return nil
}

// refusal is why a runtime takes no profile with the rule, and the name in
// question; empty where one does.
func (r Rule) refusal(ctx Context, listener bool) (text, name string) {
	if len(r.Names) > 0 {
		name = r.Names[0]
	}
	switch {
	case !r.Action.known():
		return fmt.Sprintf("%q is not an action", r.Action), name
	case errnoRefused(r.Action, r.Errno):
		return fmt.Sprintf("errno %d: libseccomp takes %d at most", *r.Errno, maxTaken), name
	case ctx.Runtime == Crun && r.Errno != nil && !r.Action.takesErrno():
		return fmt.Sprintf("%s takes no errno", r.Action), name
	case ctx.Runtime == Runc && slices.Contains(r.Names, ""):
		return "an empty name", ""
	case ctx.Runtime == Runc && r.Action == Notify && !listener:
		return fmt.Sprintf("%s without listenerPath", Notify), name
	case ctx.Runtime == Runc && r.Action == Notify && slices.Contains(r.Names, "write"):
		return fmt.Sprintf("%s for what runc itself has to call", Notify), "write"
	}
	for _, a := range r.Args {
		if !a.Op.known() || a.Index > 5 {
			return fmt.Sprintf("no such comparison of argument %d: %q", a.Index, a.Op), name
		}
	}
	return "", ""
}

// errnoRefused tells whether libseccomp refuses the errno: beyond what it takes
// in the 16 bits that runtimes hand on.
func errnoRefused(a Action, errno *uint) bool {
	return a == Errno && errno != nil && *errno&0xffff > maxTaken
}

// bigEndian tells the architectures that libseccomp puts into no filter beside
// the little-endian ones of the hosts that are known here.
func (a Arch) bigEndian() bool {
	switch a {
	case "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64",
		"SCMP_ARCH_S390", "SCMP_ARCH_S390X", "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64",
		"SCMP_ARCH_M68K", "SCMP_ARCH_SHEB":
		return true
	}
	return false
}
