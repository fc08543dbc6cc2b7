package seccomp

import (
	"fmt"
	"slices"

	"advisor/trace"
)

// Program is what a profile means under a context: our reading of the declared
// rules, made without libseccomp.
type Program struct {
	archs     []abi
	otherwise Outcome
	calls     map[call][]clause // in the order they are tested
	unheard   map[call]bool     // multiplexers that a rule is about and does not reach
	stub      []stub
}

// call is a number of an architecture, without the bit of x32.
type call struct {
	arch string
	nr   int
}

// clause is one alternative for a call: its outcome where all conditions hold.
type clause struct {
	args []Arg // by argument; empty: always
	out  Outcome
	rule int // index of the profile's rule
	name string
}

// stub is runc's prefix for one architecture: numbers above last, with the bit
// of x32 where it has one, get ENOSYS.
type stub struct {
	abi  abi
	last int
}

// Problem is something about one rule that makes a runtime refuse a profile.
type Problem struct {
	Rule int // index of the profile's rule
	Name string
	Text string
}

// Error is the problem in one line.
func (p Problem) Error() string { return fmt.Sprintf("rule %d, %s: %s", p.Rule, p.Name, p.Text) }

// Load reads a profile under a context. The error names what makes the engine
// or the runtime refuse it.
func Load(p Profile, ctx Context) (*Program, error) {
	if err := p.refusal(ctx); err != nil {
		return nil, err
	}
	return p.program(ctx)
}

// program is what the rules mean, whatever else a runtime refuses.
func (p Profile) program(ctx Context) (*Program, error) {
	r, err := p.resolve(ctx)
	if err != nil {
		return nil, err
	}
	prog := &Program{
		archs: r.archs, otherwise: outcome(p.Default, p.DefaultErrno),
		calls: map[call][]clause{}, unheard: map[call]bool{},
	}
	for _, i := range r.rules {
		if err := prog.insert(i, p.Rules[i], ctx); err != nil {
			return nil, err
		}
	}
	prog.order()
	prog.stub = stubs(p, r, ctx)
	return prog, nil
}

// insert adds a rule for every architecture that has a call of its names.
func (g *Program) insert(i int, r Rule, ctx Context) error {
	out := outcome(r.Action, r.Errno)
	if out == g.otherwise {
		return nil
	}
	for _, name := range r.Names {
		for _, args := range r.alternatives(ctx) {
			c := clause{args, out, i, name}
			for _, a := range g.archs {
				if err := g.insertFor(a, c); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// insertFor adds a clause to the calls of one architecture that it is about.
func (g *Program) insertFor(a abi, c clause) error {
	c.args = a.narrow(c.args)
	nr, own := trace.SyscallNumber(a.audit, c.name)
	if own {
		if err := g.add(call{a.audit, nr}, c); err != nil {
			return err
		}
	}
	m, ok := multiplexed(a.audit, c.name)
	if !ok {
		return nil
	}
	if !own && !c.aboutFirst() {
		g.unheard[call{a.audit, m.nr}] = true
		return nil
	}
	c.args = m.under(c.args)
	return g.add(call{a.audit, m.nr}, c)
}

// aboutFirst tells whether the first argument is tested. Rules for calls that i386
// has no number for, such as accept, reach the multiplexer with that only: so
// the kernel was seen to answer under libseccomp 2.5.4 and 2.6.0.
func (c clause) aboutFirst() bool {
	return slices.ContainsFunc(c.args, func(a Arg) bool { return a.Index == 0 })
}

// add keeps libseccomp's precedence: unconditional before conditional, the
// first unconditional before later ones. A rule that only adds conditions to an
// earlier one is dropped, and one that has fewer of the same conditions takes
// the place of it; with another outcome that is refused (EEXIST).
func (g *Program) add(at call, c clause) error {
	have := g.calls[at]
	if len(c.args) == 0 && (len(have) == 0 || len(have[0].args) > 0) {
		g.calls[at] = []clause{c}
		return nil
	}
	for _, h := range have {
		switch {
		case begins(c.args, h.args) && (h.out == c.out || len(c.args) > len(h.args) || len(h.args) == 0):
			return nil
		case begins(c.args, h.args), begins(h.args, c.args) && h.out != c.out:
			return Problem{c.rule, c.name, fmt.Sprintf(
				"the same condition has %v in rule %d and %v here", h.out, h.rule, c.out)}
		}
	}
	covered := func(h clause) bool { return begins(h.args, c.args) }
	g.calls[at] = append(slices.DeleteFunc(slices.Clone(have), covered), c)
	return nil
}

// begins tells whether args begins with all of first.
func begins(args, first []Arg) bool {
	return len(args) >= len(first) && slices.Equal(args[:len(first)], first)
}

// narrow cuts constants to the words that filters of a 32-bit architecture
// compare (libseccomp db.c, _db_rule_gen_32; x32 is one of them).
func (a abi) narrow(args []Arg) []Arg {
	if a.wide() {
		return args
	}
	out := slices.Clone(args)
	for i := range out {
		out[i].Value = uint64(uint32(out[i].Value))
		out[i].ValueTwo = uint64(uint32(out[i].ValueTwo))
	}
	return effective(out)
}
