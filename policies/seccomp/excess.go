package seccomp

import (
	"fmt"
	"maps"
	"slices"

	"advisor/policies"
	"advisor/trace"
)

// excess finds what the profile allows beyond what a profile made from the
// observation would: calls, and whole architectures.
func (c *checker) excess() {
	if c.prog.otherwise.Action.Admits() {
		c.add(policies.Excess, RuleOpen, string(c.p.Default),
			"every call that no rule names is allowed", c.p.Position)
		return
	}
	s, err := Synthesize(c.o, Options{Context: c.ctx})
	if err != nil {
		return // nothing was observed: nothing to call excess
	}
	needed := map[string]bool{}
	for _, r := range s.Reasons {
		needed[r.Name] = true
	}
	for name, at := range c.allowed() {
		if !needed[name] {
			c.add(policies.Excess, RuleExcess, name, "allowed, never made", at)
		}
	}
	c.sortExcess()
	c.excessArchs()
}

// allowed is every name that an observed architecture may call, at least with
// some arguments, and where the profile says so.
func (c *checker) allowed() map[string]policies.Position {
	list := map[string]policies.Position{}
	for _, a := range c.prog.archs {
		if !c.seenArch(a) {
			continue
		}
		for at, clauses := range c.prog.calls {
			if at.arch != a.audit {
				continue
			}
			for _, cl := range clauses {
				if cl.out.Action.Admits() && cl.name == trace.SyscallName(at.arch, at.nr) {
					list[cl.name] = c.p.Place(cl.rule, cl.name)
				}
			}
		}
	}
	return list
}

func (c *checker) seenArch(a abi) bool {
	return slices.ContainsFunc(c.o.Syscalls, func(s policies.Syscall) bool {
		return s.Arch == a.audit
	})
}

// sortExcess orders the findings of excess, which come from a map, by name.
func (c *checker) sortExcess() {
	byName := map[string]policies.Finding{}
	rest := c.found[:0]
	for _, f := range c.found {
		if f.Rule == RuleExcess {
			byName[f.Subject] = f
			continue
		}
		rest = append(rest, f)
	}
	c.found = rest
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		c.found = append(c.found, byName[name])
	}
}

// excessArchs finds architectures of the profile whose programs were not seen.
func (c *checker) excessArchs() {
	for _, a := range c.prog.archs {
		if a.audit == c.ctx.host() || c.seenArch(a) {
			continue
		}
		c.add(policies.Excess, RuleExcessArch, string(a.token),
			fmt.Sprintf("calls of %s programs are allowed, and none was seen", a.audit), c.p.place(string(a.token), "architectures"))
	}
}
