package seccomp

import "advisor/trace"

// stubs models the prefix that runc puts before the compiled filter
// (libcontainer/seccomp/patchbpf): for each architecture listed, numbers above
// the highest one that any rule names get ENOSYS, whatever the default action
// is, unless that lets calls pass. Rules that are dropped later count too.
//
// runc before 1.1.15 made none where no architecture was listed; crun makes none.
func stubs(p Profile, r resolved, ctx Context) []stub {
	if ctx.Runtime != Runc || passes(p.Default) {
		return nil
	}
	listed := r.listed
	if len(listed) == 0 {
		if !atLeast(ctx.RuntimeVersion, "1.1.15") {
			return nil
		}
		listed = []Arch{r.archs[0].token}
	}
	var list []stub
	for _, token := range listed {
		a, ok := abiOf(token)
		if !ok {
			continue
		}
		if last := highest(p, r, a.audit); last > 0 {
			list = append(list, stub{a, last})
		}
	}
	return list
}

func passes(a Action) bool { return a == Allow || a == Log || a == Trace }

// highest is the highest number that any rule names. Calls of i386 that can
// also be multiplexed do not count: libseccomp gives runc a negative number.
func highest(p Profile, r resolved, arch string) int {
	last := 0
	for _, i := range r.rules {
		for _, name := range p.Rules[i].Names {
			nr, ok := trace.SyscallNumber(arch, name)
			if _, also := multiplexed(arch, name); ok && !also {
				last = max(last, nr)
			}
		}
	}
	return last
}

// stubbed tells whether runc's prefix answers a number, given as it stands in
// seccomp_data. x86_64 and x32 share an audit value, and the bit of x32 tells
// them apart: numbers of the one that is not listed go on to the filter.
func (g *Program) stubbed(audit, nr uint32) bool {
	for _, s := range g.stub {
		if s.abi.value == audit && (!s.abi.shared() || nr&x32Bit == s.abi.base) {
			return nr > s.abi.base+uint32(s.last)
		}
	}
	return false
}

// shared tells the architectures that have an audit value together.
func (a abi) shared() bool { return a.token == X8664 || a.token == X32 }
