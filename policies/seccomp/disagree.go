package seccomp

import (
	"fmt"
	"slices"

	"advisor/policies"
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
	// Contested says that several rules with different outcomes hold for the
	// call, so that neither reading is more right.
	Contested bool
	// Unknown says that this build's libseccomp has no such call: another
	// version of it compiles the rule as it is written.
	Unknown bool
}

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
					Point: pt, When: conditions(l.cube()), Contested: g.contested(pt),
					Declared: l.a.Outcome, Compiled: l.b.Outcome, Rule: l.a.Rule, Name: l.a.Name,
					Unknown: slices.Contains(bin.Unknown, l.a.Name),
				})
			}
		}
	}
	return list, nil
}

// Finding tells of it at the place of the rule.
func (d Disagreement) Finding(p Profile, w policies.Workload) policies.Finding {
	text := fmt.Sprintf("the rules say %v, the program that libseccomp compiles says %v",
		d.Declared, d.Compiled)
	if d.When != "" {
		text += " when " + d.When
	}
	return policies.Finding{
		Class: policies.Invalid, Rule: "seccomp/compiled-differs", Workload: w,
		Subject: d.Point.String(), Message: text, Position: p.Place(d.Rule, d.Name),
	}
}
