package seccomp

import (
	"fmt"
	"slices"

	"advisor/policies/seccomp/words"
)

// Doubt is a change between two profiles that the programs libseccomp compiles
// from them make otherwise than their rules say.
type Doubt struct {
	Arch string `json:"arch"`
	Name string `json:"name"`
	Nr   int    `json:"nr"`
	When string `json:"when,omitempty"` // of one part of the calls; empty: always
	// Before and After are by the rules, the others by the programs.
	Before         Outcome `json:"before"`
	After          Outcome `json:"after"`
	CompiledBefore Outcome `json:"compiledBefore"`
	CompiledAfter  Outcome `json:"compiledAfter"`
	Witness        Point   `json:"witness"`
}

// String is the doubt in one line.
func (d Doubt) String() string {
	text := fmt.Sprintf("%s/%s: the rules say %v → %v, the compiled programs %v → %v",
		d.Arch, d.Name, d.Before, d.After, d.CompiledBefore, d.CompiledAfter)
	if d.When != "" {
		text += " when " + d.When
	}
	return text
}

// Doubts compares two profiles by rules and by compiled programs on every part
// of the calls of every number, and keeps the parts where a change of the one
// is not the change of the other. Names that this build's libseccomp does not
// know are left out. Without libseccomp in this build the error is
// libseccomp.ErrNotLinked.
func Doubts(a, b Profile, ctx Context) ([]Doubt, error) {
	before, after, err := pair(a, b, ctx, Load)
	if err != nil {
		return nil, err
	}
	was, is, err := pair(a, b, ctx, Compile)
	if err != nil {
		return nil, err
	}
	var list []Doubt
	for _, arch := range onHost(ctx.host()) {
		for _, c := range cells(arch) {
			if c.beyondLibrary() {
				continue
			}
			q := quartet{c, [4]decider{before.declared(c), after.declared(c), was.compiled(), is.compiled()}, nil, maxLeaves}
			if err := q.part(c.all()); err != nil {
				return nil, err
			}
			list = append(list, distinctDoubts(q.found)...)
		}
	}
	return list, nil
}

// quartet asks four filters about the calls of one number.
type quartet struct {
	cell  cell
	asked [4]decider
	found []Doubt
	left  int
}

func (q *quartet) part(cube words.Cube) error {
	if q.left--; q.left < 0 {
		return fmt.Errorf("%v: more than %d cases", q.cell.point(cube.Witness()), maxLeaves)
	}
	var got [4]Outcome
	for i, d := range q.asked {
		v, test, done, err := d.on(&cube)
		if err != nil {
			return err
		}
		if !done {
			yes, no := cube.Split(test)
			if err := q.part(yes); err != nil {
				return err
			}
			return q.part(no)
		}
		got[i] = v.Outcome
	}
	changed := got[0] != got[1] || got[2] != got[3]
	if changed && (got[0] != got[2] || got[1] != got[3]) {
		q.found = append(q.found, Doubt{
			Arch: q.cell.abi.audit, Name: q.cell.name(), Nr: q.cell.nr, When: conditions(cube),
			Before: got[0], After: got[1], CompiledBefore: got[2], CompiledAfter: got[3],
			Witness: q.cell.point(cube.Witness()),
		})
	}
	return nil
}

// distinctDoubts keeps the first part of each kind.
func distinctDoubts(list []Doubt) []Doubt {
	var out []Doubt
	for _, d := range list {
		if !slices.ContainsFunc(out, func(o Doubt) bool {
			return o.Before == d.Before && o.After == d.After &&
				o.CompiledBefore == d.CompiledBefore && o.CompiledAfter == d.CompiledAfter
		}) {
			out = append(out, d)
		}
	}
	return out
}
