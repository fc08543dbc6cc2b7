package seccomp

import (
	"fmt"

	"advisor/policies"
	"advisor/policies/seccomp/libseccomp"
	"advisor/trace"
)

// Disagreement is a set of calls that our reading of a profile and the program
// libseccomp compiles from it treat differently.
type Disagreement struct {
	Point    Point   // one such call
	When     string  // the conditions on its arguments; empty: always
	Declared Outcome // by the rules as they are written
	Compiled Outcome // by the program
	Rule     int     // that decided in our reading, -1 where none did
	Name     string
	Cause    Cause
}

// Cause is why the two readings differ.
type Cause string

// The causes that are known. Any other difference has none, and is a mistake of
// one of the two.
const (
	// Contested: several rules with different outcomes hold for the call, so
	// that neither reading is more right.
	Contested Cause = "contested"
	// UnknownName: this build's libseccomp is older than the name, and leaves it
	// out, or the highest number that a rule names.
	UnknownName Cause = "unknown name"
	// JoinedOrder: conditions by order on one argument stand in several rules;
	// see [joinsOrder].
	JoinedOrder Cause = "joined order"
)

// Disagreements holds the two evaluators against each other on every number of
// every architecture of the host, with all arguments. Without libseccomp in
// this build the error is libseccomp.ErrNotLinked.
func Disagreements(p Profile, ctx Context) ([]Disagreement, error) {
	prog, err := Load(p, ctx)
	if err != nil {
		return nil, err
	}
	bin, err := Compile(p, ctx)
	if err != nil {
		return nil, err
	}
	return prog.against(bin, ctx)
}

func (g *Program) against(bin Binary, ctx Context) ([]Disagreement, error) {
	var list []Disagreement
	for _, a := range onHost(ctx.host()) {
		for _, c := range cells(a) {
			var found []leaf
			err := walk(c, g.declared(c), bin.compiled(), func(l leaf) {
				if l.a.Outcome != l.b.Outcome {
					found = append(found, l)
				}
			})
			if err != nil {
				return nil, err
			}
			for _, l := range found {
				pt := c.point(l.cube().Witness())
				list = append(list, Disagreement{
					Point: pt, When: conditions(l.cube()), Cause: g.cause(c, pt),
					Declared: l.a.Outcome, Compiled: l.b.Outcome, Rule: l.a.Rule, Name: l.a.Name,
				})
			}
		}
	}
	return list, nil
}

// cause tells why the readings differ about a call.
func (g *Program) cause(c cell, pt Point) Cause {
	switch {
	case c.beyondLibrary():
		return UnknownName
	case g.contested(pt):
		return Contested
	case joinsOrder(g.calls[call{c.abi.audit, c.nr}]):
		return JoinedOrder
	}
	return ""
}

// beyondLibrary tells the numbers of which this build's libseccomp is too old to
// know the name, or any name as high.
func (c cell) beyondLibrary() bool {
	if name := trace.SyscallName(c.abi.audit, c.nr); name != "" {
		_, ok := libseccomp.Number(c.abi.libseccompToken(), name)
		return !ok
	}
	for nr := c.nr; nr <= trace.MaxSyscall(c.abi.audit); nr++ {
		name := trace.SyscallName(c.abi.audit, nr)
		if _, ok := libseccomp.Number(c.abi.libseccompToken(), name); name != "" && ok {
			return false
		}
	}
	return c.nr >= 0 && c.nr <= trace.MaxSyscall(c.abi.audit)
}

// Finding tells of it at the place of the rule.
func (d Disagreement) Finding(p Profile, w policies.Workload) policies.Finding {
	f := policies.Finding{
		Class: policies.Invalid, Rule: RuleCompiled, Workload: w,
		Subject: d.Point.String(), Position: p.Place(d.Rule, d.Name),
	}
	text := fmt.Sprintf("the rules say %v, the program that libseccomp %s compiles says %v",
		d.Declared, libseccomp.Version(), d.Compiled)
	if d.When != "" {
		text += " when " + d.When
	}
	if d.Cause == JoinedOrder {
		text += "; write conditions on an argument that several rules for the call test by EQ or MASKED_EQ"
	}
	f.Message = text
	return f
}
