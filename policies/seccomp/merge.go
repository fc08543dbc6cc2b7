package seccomp

import (
	"fmt"
	"slices"
)

// Merge is a profile that makes every call that any of the given ones makes,
// and as few others as rules can say. It is checked before it is returned:
// where no rules can say it, the error names a call. Refusals keep the errno
// of the first profile that has one.
//
// To make one profile of several recordings, put their observations together
// and synthesize: that loses nothing.
func Merge(ctx Context, first Profile, more ...Profile) (Profile, error) {
	list := append([]Profile{first}, more...)
	m := merger{ctx: ctx}
	for i, p := range list {
		plain, err := Resolve(p, ctx)
		if err != nil {
			return Profile{}, fmt.Errorf("profile %d: %w", i+1, err)
		}
		prog, err := Load(plain, ctx)
		if err != nil {
			return Profile{}, fmt.Errorf("profile %d: %w", i+1, err)
		}
		m.plain, m.progs = append(m.plain, plain), append(m.progs, prog)
	}
	out := m.merge()
	return out, m.check(out)
}

// merger is a merge in the making.
type merger struct {
	ctx   Context
	plain []Profile
	progs []*Program
}

func (m *merger) merge() Profile {
	out := Profile{Format: OCI, Default: m.plain[0].Default, DefaultErrno: m.plain[0].DefaultErrno}
	for _, p := range m.plain {
		if p.Default.Admits() && !out.Default.Admits() {
			out.Default, out.DefaultErrno = p.Default, nil
		}
		for _, a := range p.Architectures {
			if !slices.Contains(out.Architectures, a) {
				out.Architectures = append(out.Architectures, a)
			}
		}
		if p.FlagsSet && !out.FlagsSet {
			out.Flags, out.FlagsSet = p.Flags, true
		}
	}
	slices.Sort(out.Architectures)
	whole := m.whole()
	out.Rules = append(out.Rules, Rule{Names: whole, Action: Allow})
	for _, p := range m.plain {
		out.Rules = m.rest(out.Rules, p, whole)
	}
	if len(whole) == 0 {
		out.Rules = out.Rules[1:]
	}
	return out
}

// whole are the names that some profile allows whatever the arguments are.
func (m *merger) whole() []string {
	var names []string
	for i, p := range m.plain {
		for _, r := range p.Rules {
			for _, name := range r.Names {
				if m.progs[i].admitsWhole(name) {
					names = append(names, name)
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// admitsWhole tells whether the call is made with all arguments on every
// architecture that has it.
func (g *Program) admitsWhole(name string) bool {
	found := false
	for _, a := range g.archs {
		for at, clauses := range g.calls {
			if at.arch != a.audit || clauses[0].name != name {
				continue
			}
			if len(clauses[0].args) > 0 || !clauses[0].out.Action.Admits() {
				return false
			}
			found = true
		}
	}
	return found
}

// rest adds the rules of p that still matter: conditions under which calls are
// made, and refusals with an errno of their own that no profile contradicts.
func (m *merger) rest(rules []Rule, p Profile, whole []string) []Rule {
	for _, r := range p.Rules {
		for _, name := range r.Names {
			if slices.Contains(whole, name) || !r.Action.Admits() && m.madeByAny(name) {
				continue
			}
			one := Rule{Names: []string{name}, Action: r.Action, Errno: r.Errno, Args: r.Args}
			if !slices.ContainsFunc(rules, func(have Rule) bool {
				return slices.Contains(have.Names, name) && slices.Equal(have.Args, one.Args)
			}) {
				rules = append(rules, one)
			}
		}
	}
	return rules
}

// madeByAny tells whether some profile makes the call, at least sometimes.
func (m *merger) madeByAny(name string) bool {
	for i, p := range m.plain {
		if p.Default.Admits() && !p.mentions(name) {
			return true
		}
		for _, clauses := range m.progs[i].calls {
			if clauses[0].name == name && slices.ContainsFunc(clauses, func(c clause) bool {
				return c.out.Action.Admits()
			}) {
				return true
			}
		}
	}
	return false
}

// check compares the merged profile with each it came from.
func (m *merger) check(out Profile) error {
	for i, p := range m.plain {
		list, err := Compare(p, out, m.ctx)
		if err != nil {
			return fmt.Errorf("the merged profile: %w", err)
		}
		for _, c := range list {
			if c.Kind == Refused {
				return fmt.Errorf("profile %d cannot be merged in rules: %v", i+1, c)
			}
		}
	}
	return nil
}
