package seccomp

import (
	"fmt"

	"advisor/policies/seccomp/cbpf"
	"advisor/policies/seccomp/words"
	"advisor/trace"
)

// cell is the calls of one number, or of all numbers behind the tables; only
// the arguments differ within it.
type cell struct {
	abi    abi
	nr     int         // the least number
	many   bool        // more numbers than that
	narrow *words.Cube // nil: all arguments
}

// all is the calls of the cell as a set.
func (c cell) all() words.Cube {
	if c.narrow != nil {
		return *c.narrow
	}
	cube := words.All().Fixed(cbpf.WordArch, c.abi.value)
	first := c.abi.base | uint32(c.nr)
	if c.many {
		return cube.Between(cbpf.WordNr, first, c.abi.end())
	}
	return cube.Fixed(cbpf.WordNr, first)
}

// point is a call of the cell with the arguments of a witness.
func (c cell) point(w [words.Count]uint32) Point {
	pt := Point{Arch: c.abi.audit, Nr: c.nr}
	for i := range pt.Args {
		pt.Args[i] = uint64(w[cbpf.ArgHigh(i)])<<32 | uint64(w[cbpf.ArgLow(i)])
	}
	return pt
}

// cells parts all calls of an architecture by number. Numbers behind the
// highest one that any table has are one cell.
func cells(a abi) []cell {
	last := trace.MaxSyscall(a.audit)
	list := make([]cell, 0, last+8)
	for nr := range last + 1 {
		list = append(list, cell{abi: a, nr: nr})
	}
	list = append(list, cell{abi: a, nr: last + 1, many: true})
	for _, nr := range a.private() {
		list = append(list, cell{abi: a, nr: nr})
	}
	return list
}

// end is the last of the numbers behind the tables that behave alike: those of
// x86_64 end where x32 begins, those of 32-bit ARM where its private ones do.
// Number -1, which a tracer gives to a call it cancels, is a case of its own:
// libseccomp takes it out of x32.
func (a abi) end() uint32 {
	switch a.token {
	case X8664:
		return x32Bit - 1
	case X32: // those behind are negative, and no calls
		return 2*x32Bit - 1
	case Arm:
		return 0xeffff
	}
	return full - 1
}

// private are the numbers apart from the others: -1, and those that 32-bit ARM
// keeps for itself.
func (a abi) private() []int {
	var list []int
	if a.token != X32 {
		list = append(list, -1)
	}
	for _, name := range trace.Syscalls(a.audit) {
		if nr, ok := trace.SyscallNumber(a.audit, name); ok && nr > trace.MaxSyscall(a.audit) {
			list = append(list, nr)
		}
	}
	return list
}

// decider is a filter asked about the calls of one cell.
type decider struct {
	fixed *Verdict // on all of them, where arguments do not matter
	// ask gives the verdict on a set, or the first test on which it parts.
	ask func(*words.Cube) (v Verdict, part words.Test, done bool, err error)
}

// on is the verdict on a set of calls; cube may be nil where it is fixed.
func (d decider) on(cube *words.Cube) (v Verdict, part words.Test, done bool, err error) {
	if d.fixed != nil {
		return *d.fixed, words.Test{}, true, nil
	}
	return d.ask(cube)
}

// declared asks our reading of the rules about one cell.
func (g *Program) declared(c cell) decider {
	if fixed := g.unconditional(c); fixed != nil {
		return decider{fixed: fixed}
	}
	clauses := g.calls[call{c.abi.audit, c.nr}]
	return decider{ask: func(cube *words.Cube) (Verdict, words.Test, bool, error) {
		for _, cl := range clauses {
			holds, part, ok := cl.decide(cube, c.abi)
			if !ok {
				return Verdict{}, part, false, nil
			}
			if holds {
				return Verdict{Outcome: cl.out, Why: ByRule, Rule: cl.rule, Name: cl.name}, part, true, nil
			}
		}
		return Verdict{Outcome: g.otherwise, Why: ByDefault, Rule: -1}, words.Test{}, true, nil
	}}
}

// unconditional is the verdict of a cell whose arguments do not matter.
func (g *Program) unconditional(c cell) *Verdict {
	clauses := g.calls[call{c.abi.audit, c.nr}]
	if c.many || len(clauses) == 0 || len(clauses[0].args) == 0 ||
		!g.has(c.abi) || g.stubbed(c.abi.value, c.abi.base|uint32(c.nr)) {
		v := g.Evaluate(Point{Arch: c.abi.audit, Nr: c.nr})
		return &v
	}
	return nil
}

// compiled asks a program about any cell.
func (b Binary) compiled() decider {
	return decider{ask: func(cube *words.Cube) (Verdict, words.Test, bool, error) {
		ret, part, done, err := b.Program.Step(cube)
		return Verdict{Outcome: unpacked(ret), Rule: -1}, part, done, err
	}}
}

// leaf is a part of a cell on which two filters each have one verdict.
type leaf struct {
	cell cell
	part *words.Cube // nil: the whole cell
	a, b Verdict
}

// cube is the calls of the leaf as a set.
func (l leaf) cube() words.Cube {
	if l.part != nil {
		return *l.part
	}
	return l.cell.all()
}

// maxLeaves bounds what one cell may fall into; profiles with more conditions
// on one call than that are refused rather than half compared.
const maxLeaves = 1 << 16

// walk parts a cell until both filters agree with themselves on each part.
func walk(c cell, a, b decider, visit func(leaf)) error {
	if a.fixed != nil && b.fixed != nil {
		visit(leaf{c, nil, *a.fixed, *b.fixed})
		return nil
	}
	w := walker{c, a, b, visit, maxLeaves}
	return w.part(c.all())
}

// walker is a walk under way.
type walker struct {
	cell  cell
	a, b  decider
	visit func(leaf)
	left  int
}

func (w *walker) part(cube words.Cube) error {
	if w.left--; w.left < 0 {
		return fmt.Errorf("%v: more than %d cases", w.cell.point(cube.Witness()), maxLeaves)
	}
	va, test, done, err := w.a.on(&cube)
	var vb Verdict
	if done && err == nil {
		vb, test, done, err = w.b.on(&cube)
	}
	switch {
	case err != nil:
		return err
	case done:
		w.visit(leaf{w.cell, &cube, va, vb})
		return nil
	}
	yes, no := cube.Split(test)
	if err := w.part(yes); err != nil {
		return err
	}
	return w.part(no)
}
