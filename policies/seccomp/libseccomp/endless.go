package libseccomp

import (
	"errors"
	"fmt"
)

// ErrNotAsked says that the library was not asked about a filter because it
// may not come back with an answer. What a runtime makes of such a profile is
// as uncertain.
var ErrNotAsked = errors.New("libseccomp may not return from rules like these")

// opEqual and opMasked are the comparisons that share nothing but themselves
// (SCMP_CMP_EQ, SCMP_CMP_MASKED_EQ).
const (
	opEqual  = 4
	opMasked = 7
)

// check refuses filters in which two rules for one call, each with several
// conditions, both test one argument by order or inequality. Merging their
// conditions can keep libseccomp 2.5 busy without end.
func (f Filter) check() error {
	type place struct {
		name string
		arg  uint
	}
	seen := map[place]bool{}
	for _, r := range f.Rules {
		if len(r.Args) < 2 {
			continue
		}
		for _, a := range r.Args {
			if a.Op == opEqual || a.Op == opMasked {
				continue
			}
			if at := (place{r.Name, a.Index}); seen[at] {
				return fmt.Errorf("rules for %s, argument %d: %w", r.Name, a.Index, ErrNotAsked)
			}
		}
		for _, a := range r.Args {
			if a.Op != opEqual && a.Op != opMasked {
				seen[place{r.Name, a.Index}] = true
			}
		}
	}
	return nil
}
