package seccomp

import "slices"

// joinsOrder tells whether the compiled program of the rules for a call has to be
// held against them before it is relied on: two rules of which one has further
// conditions test one argument, one of them by order or inequality. For all
// others, with constants below 2^32, the two readings agree on all random
// profiles; see TestDifferential and TestDifferentialOrder.
func joinsOrder(clauses []clause) bool {
	return anyTwo(clauses, func(x, y clause) bool {
		return (len(x.args) > 1 || len(y.args) > 1) && sameArgument(x, y, func(a, b Arg) bool {
			return !a.exact() || !b.exact()
		})
	})
}

// partsWide is the same for constants from 2^32 on: two rules test one argument,
// one of them by LT or LE, with constants whose upper halves differ.
func partsWide(clauses []clause) bool {
	return anyTwo(clauses, func(x, y clause) bool {
		return sameArgument(x, y, func(a, b Arg) bool {
			return (a.class() == below || b.class() == below) && a.Value>>32 != b.Value>>32
		})
	})
}

func anyTwo(clauses []clause, are func(x, y clause) bool) bool {
	for i, x := range clauses {
		for _, y := range clauses[i+1:] {
			if are(x, y) {
				return true
			}
		}
	}
	return false
}

// sameArgument tells whether two rules test one argument in such a way.
func sameArgument(x, y clause, so func(a, b Arg) bool) bool {
	return slices.ContainsFunc(x.args, func(a Arg) bool {
		return slices.ContainsFunc(y.args, func(b Arg) bool {
			return a.Index == b.Index && so(a, b)
		})
	})
}

// exact tells the comparisons that libseccomp makes by equality alone.
func (a Arg) exact() bool { return a.Op == Equal || a.Op == MaskedEqual }
