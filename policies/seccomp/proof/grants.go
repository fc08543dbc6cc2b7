package proof

import (
	"fmt"
	"slices"
	"strings"

	"advisor/policies/seccomp/cbpf"
	"advisor/policies/seccomp/words"
	"advisor/trace"
)

// grant is what of a call may pass, and what must. Names count on every
// architecture of the profile: the formats have no other way.
type grant struct {
	whole bool         // with any arguments
	some  []words.Cube // else with these; only the arguments count
	fixed [][]test     // and these
	must  bool         // fixed, or where that is empty everything, has to pass
	why   []string     // workload, user, runtime-floor, libc-fallback, vdso
}

func (p *proof) grant(name, why string) *grant {
	g := p.grants[name]
	if g == nil {
		g = &grant{}
		p.grants[name] = g
	}
	if !slices.Contains(g.why, why) {
		g.why = append(g.why, why)
	}
	return g
}

// licences states what may pass, and why.
func (p *proof) licences() {
	p.grants = map[string]*grant{}
	for _, f := range p.recorded {
		if f.name != "" {
			p.recordedGrant(f)
		}
	}
	for _, name := range p.Asked.Add {
		p.entire(name, "user")
	}
	for _, name := range p.runtimeCalls() {
		p.known(name, "runtime-floor")
	}
	for _, name := range p.fallbacks() {
		p.known(name, "libc-fallback")
	}
	for _, name := range strings.Fields(anyProcess) {
		p.entire(name, "libc-fallback")
	}
	for _, name := range strings.Fields(vdso) {
		p.entire(name, "vdso")
	}
	p.overflow()
	p.readBase()
}

// fallbacks are the older calls made in place of those that may pass by now,
// by programs of the architectures that make the newer ones.
func (p *proof) fallbacks() []string {
	var list []string
	add := func(m machine, name string) {
		for _, older := range fallbacksOf(name) {
			if _, ok := trace.SyscallNumber(m.audit, older); ok {
				list = append(list, older)
			}
		}
	}
	for _, f := range p.recorded {
		add(f.machine, f.name)
	}
	for _, m := range p.due() {
		for _, name := range p.Asked.Add {
			add(m, name)
		}
	}
	for _, name := range p.runtimeCalls() {
		for i, m := range on(p.host) {
			if i == 0 || p.ranBy(m) {
				add(m, name)
			}
		}
	}
	return list
}

// recordedGrant lets a recorded call pass, with its arguments where asked for.
func (p *proof) recordedGrant(f fact) {
	why := "workload"
	if f.runtime {
		why = "runtime-floor"
	}
	g := p.grant(f.name, why)
	if !p.Asked.Arguments || len(f.kinds) == 0 {
		g.whole = true
		return
	}
	g.some = append(g.some, f.kinds...)
}

func (p *proof) entire(name, why string) {
	g := p.grant(name, why)
	g.whole, g.must = true, true
	g.fixed = nil
}

// known lets a call of runtimes or libraries pass: where arguments restrict it,
// recorded ones or none at all, with those that they are known to use, else whole.
func (p *proof) known(name, why string) {
	had := p.grants[name]
	restricted := had != nil && !had.whole || had == nil && p.Asked.Arguments
	g := p.grant(name, why)
	tests := ownArguments(name)
	switch {
	case g.must && len(g.fixed) == 0 && g.whole:
	case restricted && len(tests) > 0:
		g.fixed, g.must = tests, true
	default:
		g.whole, g.must, g.fixed = true, true, nil
	}
}

// ownArguments are the arguments with which runtimes and libraries make calls
// of their own: threads and processes without new namespaces
// (linux/sched.h: CLONE_NEWNS 0x20000, NEWCGROUP 0x2000000, NEWUTS 0x4000000,
// NEWIPC 0x8000000, NEWUSER 0x10000000, NEWPID 0x20000000, NEWNET 0x40000000),
// memory that is not writable and executable at once, options of prctl about
// capabilities, the parent's death and names of mappings (linux/prctl.h), what
// crun asks of terminals (asm-generic/ioctls.h), and flags of files (linux/fcntl.h).
func ownArguments(name string) [][]test {
	masked := func(index uint, mask, value uint64) []test {
		return []test{{Index: index, Op: "SCMP_CMP_MASKED_EQ", Value: mask, ValueTwo: value}}
	}
	const write, exec = 2, 4
	switch name {
	case "clone":
		return [][]test{masked(0, 0x20000|0x2000000|0x4000000|0x8000000|0x10000000|0x20000000|0x40000000, 0)}
	case "mmap", "mmap2", "mprotect":
		return [][]test{
			masked(2, write|exec, 0), masked(2, write|exec, write), masked(2, write|exec, exec)}
	case "prctl":
		const (
			pdeathsig, keepcaps, bounding, newPrivs = 1, 7, 23, 38 // each the first of two
			ambient, setVMA                         = 47, 0x53564d41
		)
		return values(0, pdeathsig, pdeathsig+1, keepcaps, keepcaps+1, bounding, bounding+1,
			newPrivs, newPrivs+1, ambient, setVMA)
	case "ioctl":
		const tcgets, tcsets, tiocsctty, tiocgwinsz, tiocswinsz = 0x5401, 0x5402, 0x540e, 0x5413, 0x5414
		return values(1, tcgets, tcsets, tiocsctty, tiocgwinsz, tiocswinsz)
	case "fcntl", "fcntl64":
		const dupfd, getfd, setfd, getfl, setfl, dupfdCloexec = 0, 1, 2, 3, 4, 1024 + 6
		return values(1, dupfd, getfd, setfd, getfl, setfl, dupfdCloexec)
	}
	return nil
}

// values are tests that let an int be one of a few.
func values(index uint, list ...uint64) [][]test {
	var tests [][]test
	for _, v := range list {
		tests = append(tests, []test{{Index: index, Op: "SCMP_CMP_MASKED_EQ", Value: 1<<32 - 1, ValueTwo: v}})
	}
	return tests
}

// mostKinds is how many combinations of arguments get rules of their own.
const mostKinds = 64

// overflow lets calls of too many kinds pass whole.
func (p *proof) overflow() {
	for name, g := range p.grants {
		distinct := map[string]bool{}
		for _, f := range p.recorded {
			if f.name != name {
				continue
			}
			for _, cube := range f.kinds {
				distinct[fmt.Sprint(arguments(cube))] = true
			}
		}
		if len(distinct) > mostKinds {
			g.whole = true
		}
	}
}

// arguments is a set without its number.
func arguments(cube words.Cube) []words.Test { return cube.Tests() }

// readBase adds what the base profile lets pass, whatever architectures it
// was written for: names count for all.
func (p *proof) readBase() {
	if len(p.Asked.Base) == 0 {
		return
	}
	d, err := read(p.Asked.Base)
	if err != nil {
		p.fail("the base profile cannot be read: %v", err)
		return
	}
	p.base = readFor(d.resolve(p.Asked, p.host), setting{host: p.host}, on(p.host))
	for _, m := range on(p.host) {
		for _, name := range trace.Syscalls(m.audit) {
			nr, _ := trace.SyscallNumber(m.audit, name)
			c := cell{machine: m, nr: nr, name: name}
			if p.base.admitsSome(c) {
				p.grant(name, "user")
			}
		}
	}
}

// admitsSome tells whether any call of a number passes.
func (r *reading) admitsSome(c cell) bool {
	some, budget := false, maxParts
	err := parts(c.calls(), &budget, func(cube *words.Cube) (words.Test, bool, error) {
		ret, part, done := r.on(c, cube)
		some = some || done && passes(ret)
		return part, done, nil
	})
	return some || err != nil
}

func passes(ret uint32) bool { return ret == retAllow || ret == retLog }

// contains settles whether a set of calls is in a grant.
func (g *grant) contains(m machine, cube *words.Cube) (in bool, part words.Test, ok bool) {
	if g == nil {
		return false, part, true
	}
	if g.whole {
		return true, part, true
	}
	for _, tests := range g.fixed {
		if in, part, ok = all(tests, m, cube); !ok || in {
			return in, part, ok
		}
	}
	for _, kind := range g.some {
		if in, part, ok = within(kind, m, cube); !ok || in {
			return in, part, ok
		}
	}
	return false, part, true
}

// within settles whether a set of calls has the arguments of a kind.
func within(kind words.Cube, m machine, cube *words.Cube) (in bool, part words.Test, ok bool) {
	for _, t := range kind.Tests() {
		upper := t.Word == cbpf.WordNr || t.Word == cbpf.WordArch || t.Word%2 == 1
		if upper && (!m.wide || t.Word < cbpf.ArgLow(0)) {
			continue
		}
		if in, ok = cube.Decide(t); !ok || !in {
			return in, t, ok
		}
	}
	return true, part, true
}
