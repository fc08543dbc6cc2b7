package seccomp

import (
	"cmp"
	"slices"
)

// order puts the clauses of every call in the order in which libseccomp's
// filters test them: by argument, the last first, then EQ, NE and MASKED_EQ
// before LT and LE before GT and GE, then by constant, the greatest first. It
// matters only where clauses with different outcomes overlap.
func (g *Program) order() {
	for _, clauses := range g.calls {
		slices.SortStableFunc(clauses, func(x, y clause) int {
			return slices.CompareFunc(x.args, y.args, compareArg)
		})
	}
}

// contested tells whether clauses with different outcomes hold for a call, so
// that only the order of libseccomp's tests decides. That order is not
// documented; ours follows it where it was measured: other arguments, and other
// values of one argument, but not other masks.
func (g *Program) contested(pt Point) bool {
	a, _ := abiByAudit(pt.Arch)
	var first *Outcome
	for _, c := range g.calls[call{pt.Arch, pt.Nr}] {
		if !c.holds(pt.Args, a) {
			continue
		}
		if first != nil && *first != c.out {
			return true
		}
		first = &c.out
	}
	return false
}

func compareArg(x, y Arg) int {
	return cmp.Or(cmp.Compare(y.Index, x.Index), cmp.Compare(x.class(), y.class()),
		cmp.Compare(y.Value, x.Value), cmp.Compare(y.ValueTwo, x.ValueTwo))
}

// The classes of comparisons, in the order of their tests.
const (
	equals = iota
	below
	above
)

func (a Arg) class() int {
	switch a.Op {
	case Less, LessOrEqual:
		return below
	case GreaterOrEqual, Greater:
		return above
	}
	return equals
}
