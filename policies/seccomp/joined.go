package seccomp

import "slices"

// joinsOrder tells whether the compiled program of the rules for a call has to be
// held against them before it is relied on: two rules of which one has further
// conditions test one argument, one of them by order or inequality. For all
// others, with constants below 2^32, the two readings agree on all random
// profiles; see TestDifferential and TestDifferentialOrder.
func joinsOrder(clauses []clause) bool {
	for i, x := range clauses {
		for _, y := range clauses[i+1:] {
			if (len(x.args) > 1 || len(y.args) > 1) && sharesOrder(x, y) {
				return true
			}
		}
	}
	return false
}

// sharesOrder tells whether two rules test one argument, and one of them by
// order or inequality.
func sharesOrder(x, y clause) bool {
	return slices.ContainsFunc(x.args, func(a Arg) bool {
		return slices.ContainsFunc(y.args, func(b Arg) bool {
			return a.Index == b.Index && !(a.exact() && b.exact())
		})
	})
}

// exact tells the comparisons that libseccomp makes by equality alone.
func (a Arg) exact() bool { return a.Op == Equal || a.Op == MaskedEqual }
