package seccomp

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"advisor/policies"
	"advisor/policies/seccomp/libseccomp"
	"advisor/trace"
)

// Disagreement is the calls of one number that our reading of a profile and the
// program libseccomp compiles from it treat differently, the same way throughout.
type Disagreement struct {
	Point    Point    // one such call
	When     []string // the conditions on the arguments of each part of them; none: always
	Declared Outcome  // by the rules as they are written
	Compiled Outcome  // by the program
	Rule     int      // that decided in our reading, -1 where none did
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
	// Unheard: a rule about a call that i386 has no number for does not reach
	// the multiplexer, and others for the same multiplexer may be left out
	// with it.
	Unheard Cause = "unheard"
	// WideOrder: so do conditions with constants from 2^32 on; see [partsWide].
	WideOrder Cause = "wide order"
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
			var found []Disagreement
			err := walk(c, g.declared(c), bin.compiled(), func(l leaf) {
				if l.a.Outcome != l.b.Outcome {
					found = g.disagree(found, c, l)
				}
			})
			if err != nil {
				return nil, err
			}
			list = append(list, found...)
		}
	}
	return list, nil
}

// disagree adds a part of a number's calls to those that differ likewise.
func (g *Program) disagree(list []Disagreement, c cell, l leaf) []Disagreement {
	pt := c.point(l.cube().Witness())
	d := Disagreement{
		Point: pt, Declared: l.a.Outcome, Compiled: l.b.Outcome, Rule: l.a.Rule, Name: l.a.Name,
		Cause: g.cause(c, pt),
	}
	at := slices.IndexFunc(list, func(o Disagreement) bool {
		return o.Declared == d.Declared && o.Compiled == d.Compiled && o.Cause == d.Cause && o.Rule == d.Rule
	})
	if at < 0 {
		at, list = len(list), append(list, d)
	}
	if text := conditions(l.cube()); text != "" {
		list[at].When = append(list[at].When, text)
	}
	return list
}

// cause tells why the readings differ about a call.
func (g *Program) cause(c cell, pt Point) Cause {
	clauses := g.calls[call{c.abi.audit, c.nr}]
	switch {
	case c.beyondLibrary():
		return UnknownName
	case g.contested(pt):
		return Contested
	case g.unheard[call{c.abi.audit, c.nr}]:
		return Unheard
	case joinsOrder(clauses):
		return JoinedOrder
	case partsWide(clauses):
		return WideOrder
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

// CheckCompiled finds where libseccomp makes something else of a profile than
// it says, and where it was not asked because it may not return: nothing in a
// build without it. Where rules contend there is no right reading, which [Lint]
// says. That this libseccomp does not know a call yet says nothing of another.
func CheckCompiled(p Profile, ctx Context) []policies.Finding {
	differ, err := Disagreements(p, ctx)
	if risk := (libseccomp.NotAsked{}); errors.As(err, &risk) {
		return []policies.Finding{p.notCompiled(risk)}
	}
	var findings []policies.Finding
	for _, d := range differ {
		if d.Cause != Contested && d.Cause != UnknownName {
			findings = append(findings, d.finding(p))
		}
	}
	return findings
}

// finding tells of it at the place of the rule, with the shortest of its
// conditions.
func (d Disagreement) finding(p Profile) policies.Finding {
	text := fmt.Sprintf("the rules say %v, the program that libseccomp %s compiles says %v",
		d.Declared, libseccomp.Version(), d.Compiled)
	if len(d.When) > 0 {
		text += " when " + slices.MinFunc(d.When, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	}
	switch n := len(d.When) - 1; {
	case n == 1:
		text += ", and in one other case"
	case n > 1:
		text += fmt.Sprintf(", and in %d other cases", n)
	}
	if d.Cause == JoinedOrder || d.Cause == WideOrder {
		text += "; test arguments that several rules are about by EQ or MASKED_EQ"
	}
	return policies.Finding{
		Class: policies.Invalid, Rule: RuleCompiled, Subject: d.Point.String(), Message: text,
		Position: p.Place(d.Rule, d.Name),
	}
}

func (p Profile) notCompiled(risk libseccomp.NotAsked) policies.Finding {
	rule := slices.IndexFunc(p.Rules, func(r Rule) bool {
		return slices.Contains(r.Names, risk.Name) && len(r.Args) > 1
	})
	return policies.Finding{
		Class: policies.Unknown, Rule: RuleNotCompiled, Subject: risk.Name, Position: p.Place(rule, risk.Name),
		Message: fmt.Sprintf("libseccomp may not return from compiling rules that make the same test of argument %d "+
			"before others, and was not asked: a container with them may never start; test it by EQ or MASKED_EQ",
			risk.Arg),
	}
}
