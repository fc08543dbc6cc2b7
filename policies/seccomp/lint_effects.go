package seccomp

import (
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/policies/seccomp/words"
	"advisor/trace"
)

// effects checks what the rules do together.
func (l *linter) effects() {
	decides := map[decision]bool{}
	for _, a := range l.prog.archs {
		for _, c := range cells(a) {
			if clauses := l.prog.calls[call{a.audit, c.nr}]; !c.many && len(clauses) > 0 {
				l.cell(c, clauses, decides)
			}
		}
	}
	l.shadowed(decides)
	l.multiplexers()
	l.missingArchs()
}

// decision is a name in a rule that decides at least one call.
type decision struct {
	rule int
	name string
}

// cell checks the rules for one number and notes which of them decide.
func (l *linter) cell(c cell, clauses []clause, decides map[decision]bool) {
	var leaves []leaf
	err := walk(c, l.prog.declared(c), nothing(), func(x leaf) { leaves = append(leaves, x) })
	if err != nil {
		l.add(policies.Unknown, RuleContested, subjectOf(c),
			l.p.Place(clauses[0].rule, clauses[0].name), "%v", err)
		return
	}
	for _, x := range leaves {
		decides[decision{x.a.Rule, x.a.Name}] = true
	}
	l.contested(c, clauses)
	l.width(c, clauses, leaves)
}

// contested finds calls for which rules with different outcomes hold.
func (l *linter) contested(c cell, clauses []clause) {
	for i, x := range clauses {
		for _, y := range clauses[i+1:] {
			if x.out == y.out {
				continue
			}
			both := clause{args: append(slices.Clone(x.args), y.args...)}
			cube, ok := both.some(c)
			if !ok {
				continue
			}
			l.add(policies.Unknown, RuleContested, subjectOf(c), l.p.Place(x.rule, x.name),
				"rules with different outcomes hold%s; libseccomp documents no order between "+
					"them, %v is expected", when(cube), l.prog.Evaluate(c.point(cube.Witness())).Outcome)
			return
		}
	}
}

// some is a set of calls of the cell for which the clause holds.
func (c clause) some(at cell) (words.Cube, bool) {
	var found *words.Cube
	holds := decider{ask: func(cube *words.Cube) (Verdict, words.Test, bool, error) {
		is, part, ok := c.decide(cube, at.abi)
		if ok && is && found == nil {
			found = cube
		}
		return Verdict{}, part, ok, nil
	}}
	if err := walk(at, holds, nothing(), func(leaf) {}); err != nil || found == nil {
		return words.Cube{}, false
	}
	return *found, true
}

// width finds refusals that the upper half of an int argument evades: the
// filter compares 64 bits, the kernel takes the lower 32.
func (l *linter) width(c cell, clauses []clause, leaves []leaf) {
	if !c.abi.wide() {
		return
	}
	for _, cl := range clauses {
		for _, a := range cl.args {
			if !intWide(cl.name, int(a.Index)) {
				continue
			}
			if l.evaded(c, a.Index, cl, leaves) {
				return
			}
		}
	}
}

func (l *linter) evaded(c cell, index uint, cl clause, leaves []leaf) bool {
	for _, x := range leaves {
		pt := c.point(x.cube().Witness())
		other := pt
		other.Args[index] |= 1 << 32
		if pt.Args[index]>>32 != 0 || x.a.Action.Admits() || !l.prog.Evaluate(other).Action.Admits() {
			continue
		}
		l.add(policies.Excess, RuleWidth, subjectOf(c), l.p.Place(cl.rule, cl.name),
			"refused with argument %d = %#x, allowed with %#x, which the kernel takes for the same",
			index, pt.Args[index], other.Args[index])
		return true
	}
	return false
}

func subjectOf(c cell) string {
	if c.abi.audit == c.abi.host {
		return c.name()
	}
	return c.abi.audit + "/" + c.name()
}

// shadowed finds rules that decide nothing although their action is another
// than what happens instead.
func (l *linter) shadowed(decides map[decision]bool) {
	r, err := l.p.resolve(l.ctx)
	if err != nil {
		return
	}
	for _, i := range r.rules {
		rule := l.p.Rules[i]
		out := outcome(rule.Action, rule.Errno)
		for _, name := range rule.Names {
			pt, ok := l.callOf(name)
			if !ok || decides[decision{i, name}] || out == l.prog.otherwise {
				continue
			}
			v := l.prog.Evaluate(pt)
			if len(rule.Args) == 0 && v.Outcome == out {
				continue // said twice
			}
			l.add(policies.Invalid, RuleShadowed, name, l.p.Place(i, name),
				"%v never takes effect: another rule for %s decides (%v)%s",
				out, name, v.Outcome, elsewhere(l.p, v))
		}
	}
}

func elsewhere(p Profile, v Verdict) string {
	if at := p.Place(v.Rule, v.Name).String(); v.Rule >= 0 && at != "" {
		return " at " + at
	}
	return ""
}

// callOf is a call of that name on an architecture in force.
func (l *linter) callOf(name string) (Point, bool) {
	for _, a := range l.prog.archs {
		if nr, ok := trace.SyscallNumber(a.audit, name); ok {
			return Point{Arch: a.audit, Nr: nr}, true
		}
	}
	return Point{}, false
}

// multiplexers finds conditions on socket calls that i386 programs evade
// through socketcall, whose arguments a filter cannot see.
func (l *linter) multiplexers() {
	for _, mux := range [...]int{i386Socketcall, i386IPC} {
		at := call{trace.ArchI386, mux}
		whole := l.prog.calls[at]
		if len(whole) == 0 || len(whole[0].args) > 0 || !whole[0].out.Action.Admits() {
			continue
		}
		var names []string
		for key, clauses := range l.prog.calls {
			m, also := multiplexed(trace.ArchI386, clauses[0].name)
			if key.arch == trace.ArchI386 && also && m.nr == mux && key != at && len(clauses[0].args) > 0 {
				names = append(names, clauses[0].name)
			}
		}
		if slices.Sort(names); len(names) > 0 {
			l.add(policies.Excess, RuleMultiplexed, "i386/"+whole[0].name,
				l.p.Place(whole[0].rule, whole[0].name),
				"allowed whole: conditions on %s do not hold for 32-bit programs", strings.Join(names, ", "))
		}
	}
}

// missingArchs tells of the host's other architectures.
func (l *linter) missingArchs() {
	if l.prog.otherwise.Action.Admits() {
		return
	}
	for _, a := range onHost(l.ctx.host()) {
		if l.prog.has(a) {
			continue
		}
		v := l.prog.Evaluate(Point{Arch: a.audit})
		if v.Outcome == l.prog.otherwise {
			continue
		}
		what := fmt.Sprintf("calls of %s programs get %v instead of %v", a.audit, v.Outcome, l.prog.otherwise)
		l.add(policies.Unknown, RuleMissingArch, string(a.token), l.p.place("architectures", "archMap"), "%s", what)
	}
}
