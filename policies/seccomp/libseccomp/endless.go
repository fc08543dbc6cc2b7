package libseccomp

import (
	"errors"
	"fmt"
	"slices"
)

// ErrNotAsked says that the library was not asked about a filter because it
// may not come back with an answer. What a runtime makes of such a profile is
// as uncertain.
var ErrNotAsked = errors.New("libseccomp may not return from rules like these")

// NotAsked is [ErrNotAsked] with the call whose rules are the reason, and the
// argument that they test.
type NotAsked struct {
	Name string
	Arg  uint
}

// Error names the rules.
func (e NotAsked) Error() string {
	return fmt.Sprintf("rules for %s, argument %d: %v", e.Name, e.Arg, ErrNotAsked)
}

// Unwrap is ErrNotAsked.
func (e NotAsked) Unwrap() error { return ErrNotAsked }

// opEqual and opMasked are the comparisons that share nothing but themselves
// (SCMP_CMP_EQ, SCMP_CMP_MASKED_EQ).
const (
	opEqual  = 4
	opMasked = 7
)

// check refuses filters in which two rules for one call have the same
// comparison by order or inequality, and each a condition on a later argument.
// These can keep libseccomp 2.5.4 busy without end; no others did, of 200,000
// random filters of two to five rules.
func (f Filter) check() error {
	type place struct {
		name string
		test Comparison
	}
	seen := map[place]bool{}
	for _, r := range f.Rules {
		joins := r.joins()
		for _, c := range joins {
			if seen[place{r.Name, c}] {
				return NotAsked{r.Name, c.Index}
			}
		}
		for _, c := range joins {
			seen[place{r.Name, c}] = true
		}
	}
	return nil
}

// joins are the comparisons by order or inequality behind which the rule has others.
func (r Rule) joins() []Comparison {
	var list []Comparison
	for _, c := range r.Args {
		later := slices.ContainsFunc(r.Args, func(o Comparison) bool { return o.Index > c.Index })
		if later && c.Op != opEqual && c.Op != opMasked {
			c.B = 0 // has no meaning with them
			list = append(list, c)
		}
	}
	return list
}
