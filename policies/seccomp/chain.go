package seccomp

import (
	"cmp"
	"slices"
)

// order puts the clauses of every call in the order in which libseccomp's
// filters test them: by argument, then EQ, NE and MASKED_EQ before LT and LE
// before GT and GE, then by constant. It matters only where clauses with
// different outcomes overlap.
func (g *Program) order() {
	for _, clauses := range g.calls {
		slices.SortStableFunc(clauses, func(x, y clause) int {
			return slices.CompareFunc(x.args, y.args, compareArg)
		})
	}
}

func compareArg(x, y Arg) int {
	return cmp.Or(cmp.Compare(x.Index, y.Index), cmp.Compare(x.class(), y.class()),
		cmp.Compare(x.Value, y.Value), cmp.Compare(x.ValueTwo, y.ValueTwo))
}

func (a Arg) class() int {
	switch a.Op {
	case Less, LessOrEqual:
		return 1
	case GreaterOrEqual, Greater:
		return 2
	}
	return 0
}
