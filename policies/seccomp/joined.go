package seccomp

import "slices"

// joinsOrder tells whether libseccomp may compile the rules for a call to
// something else than they say. It makes one decision tree of them, with a level
// for each argument by index. A test by order or inequality can hold beside
// another test of its level, so that the program comes back to that when the
// conditions of later arguments behind the first have failed; libseccomp 2.5.4
// then does not load the argument again, and compares the later one. A test in
// this package shows it in a program of 22 instructions.
//
// So it takes two rules of which one has further conditions, and an argument
// that both test, one of them by order or inequality. Of random profiles, with
// constants below 2^32, no other differs.
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
