package seccomp

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// AllowedCall is a call that a profile lets pass, at least with some arguments.
type AllowedCall struct {
	Arch string `json:"arch"`
	Nr   int    `json:"nr"`
	Name string `json:"name"` // "472 and above" for numbers without a name
	// When is the condition on the arguments; empty: always.
	When   string `json:"when,omitempty"`
	Action Action `json:"action"` // ALLOW or LOG
}

// String is the call in one line: "socket when a0 == 0x1".
func (c AllowedCall) String() string {
	text := c.Name
	if a, ok := abiByAudit(c.Arch); ok && a.host != c.Arch {
		text = c.Arch + "/" + c.Name
	}
	if c.When != "" {
		text += " when " + c.When
	}
	if c.Action == Log {
		text += " (logged)"
	}
	return text
}

// Allowed lists every call that a profile lets pass under a context, the host's
// own architecture first, by name.
func Allowed(p Profile, ctx Context) ([]AllowedCall, error) {
	prog, err := Load(p, ctx)
	if err != nil {
		return nil, err
	}
	var list []AllowedCall
	for _, a := range onHost(ctx.host()) {
		from := len(list)
		for _, c := range cells(a) {
			found, err := prog.allowedIn(c)
			if err != nil {
				return nil, err
			}
			list = append(list, found...)
		}
		slices.SortStableFunc(list[from:], func(x, y AllowedCall) int {
			return cmp.Or(strings.Compare(x.Name, y.Name), cmp.Compare(x.Nr, y.Nr))
		})
	}
	return list, nil
}

// allowedIn are the parts of a cell that pass, one for each action.
func (g *Program) allowedIn(c cell) ([]AllowedCall, error) {
	var list []AllowedCall
	var conditionsOf [][]string
	err := walk(c, g.declared(c), nothing(), func(l leaf) {
		if !l.a.Action.Admits() {
			return
		}
		at := slices.IndexFunc(list, func(x AllowedCall) bool { return x.Action == l.a.Action })
		if at < 0 {
			at = len(list)
			list = append(list, AllowedCall{Arch: c.abi.audit, Nr: c.nr, Name: c.name(), Action: l.a.Action})
			conditionsOf = append(conditionsOf, nil)
		}
		if text := conditions(l.cube()); text != "" {
			conditionsOf[at] = append(conditionsOf[at], text)
		}
	})
	for i := range list {
		list[i].When = every(conditionsOf[i])
	}
	if err != nil {
		return nil, fmt.Errorf("%v: %w", c.point([16]uint32{}), err)
	}
	return list, nil
}

// every joins all alternatives.
func every(parts []string) string { return strings.Join(parts, ", or ") }
