package seccomp

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/trace"
)

// Kind is what a change between two profiles means.
type Kind string

// The kinds of change, those that matter most for safety first.
const (
	Permitted   Kind = "permitted" // refused before, made now
	Refused     Kind = "refused"   // made before, refused now
	ActionOnly  Kind = "action"    // refused, or made, in another way
	ErrnoOnly   Kind = "errno"     // refused with another errno
	FlagsOnly   Kind = "flags"     // the filter's flags, no call changes
	maxWhenText      = 3           // parts of a condition that are written out
)

var kinds = [...]Kind{Permitted, Refused, ActionOnly, ErrnoOnly, FlagsOnly}

// Change is a set of calls of one number that two profiles treat differently,
// the same way throughout.
type Change struct {
	Kind Kind   `json:"kind"`
	Arch string `json:"arch,omitempty"`
	Name string `json:"name"` // "472 and above" for numbers without a name
	Nr   int    `json:"nr"`
	// When is the condition on the arguments in words; empty: always.
	When    string            `json:"when,omitempty"`
	Before  Outcome           `json:"before"`
	After   Outcome           `json:"after"`
	Witness Point             `json:"witness"` // one such call
	Old     policies.Position `json:"old,omitzero"`
	New     policies.Position `json:"new,omitzero"`
}

// String is the change in one line.
func (c Change) String() string {
	text := fmt.Sprintf("%s %s/%s: %v → %v", c.Kind, c.Arch, c.Name, c.Before, c.After)
	if c.Kind == FlagsOnly {
		return "flags: " + c.Name
	}
	if c.When != "" {
		text += " when " + c.When
	}
	return text
}

// Compare finds every call that two profiles treat differently under a
// context: all numbers of all architectures of the host, with all arguments.
// No change means that the profiles are equal there, however they are written.
// The error says which profile a runtime would refuse.
func Compare(a, b Profile, ctx Context) ([]Change, error) {
	before, after, err := pair(a, b, ctx, Load)
	if err != nil {
		return nil, err
	}
	list, err := before.Changes(after, ctx)
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i].Old = a.Place(before.rule(list[i]), list[i].Name)
		list[i].New = b.Place(after.rule(list[i]), list[i].Name)
	}
	return append(list, flagChanges(a, b)...), nil
}

// pair does the same with two profiles. The error says which one it is about.
func pair[T any](a, b Profile, ctx Context, do func(Profile, Context) (T, error)) (first, second T, err error) {
	if first, err = do(a, ctx); err != nil {
		return first, second, fmt.Errorf("first profile: %w", err)
	}
	if second, err = do(b, ctx); err != nil {
		return first, second, fmt.Errorf("second profile: %w", err)
	}
	return first, second, nil
}

// rule is what decides the witness of a change.
func (g *Program) rule(c Change) int { return g.Evaluate(c.Witness).Rule }

// Changes compares two loaded profiles. Changes come by name, architecture and
// outcome, and without positions.
func (g *Program) Changes(other *Program, ctx Context) ([]Change, error) {
	return changes(onHost(ctx.host()), g.declared, other.declared)
}

// CompiledChanges compares what libseccomp compiles from two profiles, by the
// same means and with no reading of the rules.
func CompiledChanges(a, b Binary, ctx Context) ([]Change, error) {
	before, after := a.compiled(), b.compiled()
	return changes(onHost(ctx.host()),
		func(cell) decider { return before }, func(cell) decider { return after })
}

func changes(archs []abi, before, after func(cell) decider) ([]Change, error) {
	var list []Change
	for _, a := range archs {
		for _, c := range cells(a) {
			var found []leaf
			err := walk(c, before(c), after(c), func(l leaf) {
				if l.a.Outcome != l.b.Outcome {
					found = append(found, l)
				}
			})
			if err != nil {
				return nil, err
			}
			list = append(list, merged(c, found)...)
		}
	}
	slices.SortStableFunc(list, func(x, y Change) int {
		return cmp.Or(cmp.Compare(slices.Index(kinds[:], x.Kind), slices.Index(kinds[:], y.Kind)),
			strings.Compare(x.Name, y.Name), strings.Compare(x.Arch, y.Arch))
	})
	return list, nil
}

// merged makes one change of all parts of a cell with the same outcomes.
func merged(c cell, found []leaf) []Change {
	var list []Change
	var conditionsOf [][]string
	for _, l := range found {
		at := slices.IndexFunc(list, func(ch Change) bool {
			return ch.Before == l.a.Outcome && ch.After == l.b.Outcome
		})
		if at < 0 {
			at = len(list)
			list = append(list, Change{
				Kind: kindOf(l.a.Outcome, l.b.Outcome), Arch: c.abi.audit, Nr: c.nr, Name: c.name(),
				Before: l.a.Outcome, After: l.b.Outcome, Witness: c.point(l.cube().Witness()),
			})
			conditionsOf = append(conditionsOf, nil)
		}
		if text := conditions(l.cube()); text != "" {
			conditionsOf[at] = append(conditionsOf[at], text)
		}
	}
	for i := range list {
		list[i].When = either(conditionsOf[i])
	}
	return list
}

// either joins alternatives, the first few of many.
func either(parts []string) string {
	if n := len(parts); n > maxWhenText {
		return strings.Join(parts[:maxWhenText], ", or ") + fmt.Sprintf(", or %d more", n-maxWhenText)
	}
	return strings.Join(parts, ", or ")
}

func kindOf(before, after Outcome) Kind {
	switch was, is := before.Action.Admits(), after.Action.Admits(); {
	case !was && is:
		return Permitted
	case was && !is:
		return Refused
	case before.Action == after.Action:
		return ErrnoOnly
	}
	return ActionOnly
}

// name is the call's name, or its numbers where it has none.
func (c cell) name() string {
	switch name := trace.SyscallName(c.abi.audit, c.nr); {
	case name != "":
		return name
	case c.many:
		return fmt.Sprintf("%d and above", c.nr)
	}
	return fmt.Sprint(c.nr)
}

// flagChanges compares the flags, of which no flags at all is another thing
// than an empty list: crun then adds SPEC_ALLOW.
func flagChanges(a, b Profile) []Change {
	text := func(p Profile) string {
		if !p.FlagsSet {
			return "none given"
		}
		list := slices.Sorted(slices.Values(p.Flags))
		return "[" + strings.Join(slices.Compact(list), " ") + "]"
	}
	before, after := text(a), text(b)
	if before == after {
		return nil
	}
	return []Change{{Kind: FlagsOnly, Name: before + " → " + after,
		Old: a.Position, New: b.Position}}
}
