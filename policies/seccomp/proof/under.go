package proof

import (
	"slices"

	"advisor/policies/seccomp/words"
)

// claims checks what is said of the profile as a whole: the architectures seen
// are in it, the flags are those of its action, and every reason is true.
func (p *proof) claims(d document) {
	for _, f := range p.recorded {
		if !slices.Contains(d.Architectures, f.machine.token) {
			p.fail("programs of %s were seen, and architectures leaves it out", f.machine.audit)
		}
	}
	for _, token := range d.Architectures {
		if !slices.ContainsFunc(p.due(), func(m machine) bool { return m.token == token }) {
			p.fail("no program of %s was seen, and architectures has it", token)
		}
	}
	if own := on(p.host)[0]; !slices.Contains(d.Architectures, own.token) {
		p.fail("architectures leaves out %s, which runtimes have in force all the same", own.audit)
	}
	if len(d.Architectures) == 0 {
		p.fail("no architectures are listed: runtimes differ in what they make of that")
	}
	for _, f := range d.Flags {
		if f != "SECCOMP_FILTER_FLAG_LOG" || p.Asked.Action != "log" {
			p.fail("the flag %s was not asked for", f)
		}
	}
	if d.ListenerPath != "" || d.ListenerMetadata != "" {
		p.fail("the profile hands calls to a listener")
	}
	for _, r := range p.Reasons {
		if g := p.grants[r.Name]; g == nil || !slices.Contains(g.why, r.Because) {
			p.fail("%s/%s is said to be allowed as %q, for which there is no ground", r.Arch, r.Name, r.Because)
		}
	}
}

// due are the architectures of which anything was recorded, filter or not, behind
// the host's own.
func (p *proof) due() []machine {
	list := on(p.host)[:1]
	for _, s := range p.Facts.Syscalls {
		if m, ok := numbered(s.Arch); ok && !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	return list
}

// evaluator is one of those that are asked.
type evaluator struct {
	name string
	on   func(cell, *words.Cube) (uint32, words.Test, bool, error)
	at   func(machine, int, [6]uint64) (uint32, error)
	stub stub
	skip []string // names that it does not know
}

// under checks the profile as one runtime loads it.
func (p *proof) under(d document, s setting, first bool) {
	rules := readRules(d, s)
	list := []evaluator{{
		name: "rules", stub: rules.stub,
		on: func(c cell, cube *words.Cube) (uint32, words.Test, bool, error) {
			ret, part, done := rules.on(c, cube)
			return ret, part, done, nil
		},
		at: func(m machine, nr int, args [6]uint64) (uint32, error) { return rules.at(m, nr, args), nil },
	}}
	switch program, err := compile(d, s); {
	case err == nil:
		list = append(list, evaluator{"compiled", program.on, program.at, program.stub, program.unknown})
		p.skip(program.unknown)
	case unavailable(err):
		p.silent = err
	default:
		p.fail("under %v: %v", s, err)
	}
	for i, e := range list {
		p.calls(e, d, s, first && i == 0)
	}
}

func (p *proof) skip(names []string) {
	if p.skipped == nil {
		p.skipped = map[string]bool{}
	}
	for _, name := range names {
		p.skipped[name] = true
	}
}

// calls asks about every call of every architecture of the host.
func (p *proof) calls(e evaluator, d document, s setting, count bool) {
	for _, m := range on(p.host) {
		listed := slices.Contains(d.Architectures, m.token)
		for _, c := range cells(m) {
			q := question{p: p, e: e, c: c, s: s, listed: listed, otherwise: d.defaultReturn()}
			q.needed = p.neededAt(c)
			if count {
				p.count(q)
			}
			q.ask()
		}
	}
}

// count is what the summary tells, and what "checked" counts: recorded calls,
// and calls of the profile's architectures that nothing lets pass.
func (p *proof) count(q question) {
	switch {
	case len(q.needed) > 0:
		p.Checked++
		if !q.needed[0].lacking {
			p.admitted++
		}
	case q.listed && p.grants[q.c.name] == nil:
		p.Checked++
		p.others++
	}
}

// neededAt are the recorded facts about one number.
func (p *proof) neededAt(c cell) []fact {
	var list []fact
	for _, f := range p.recorded {
		same := f.nr == c.nr || c.beyond && f.nr > c.nr && uint32(f.nr) <= c.last
		if f.machine == c.machine && same {
			list = append(list, f)
		}
	}
	return list
}

// question is everything that is asked about the calls of one number.
type question struct {
	p         *proof
	e         evaluator
	c         cell
	s         setting
	listed    bool // the profile has the architecture
	otherwise uint32
	needed    []fact
}

// ask parts the calls until the evaluator's answer, and what is owed, are
// settled on each part, and compares the two there.
func (q question) ask() {
	budget := maxParts
	err := parts(q.c.calls(), &budget, func(cube *words.Cube) (words.Test, bool, error) {
		got, part, done, err := q.e.on(q.c, cube)
		if !done || err != nil {
			return part, done, err
		}
		owed, part, done := q.owed(cube)
		if done {
			q.judge(cube, got, owed)
		}
		return part, done, nil
	})
	if err != nil {
		q.p.fail("%v: %v (%s, under %v)", q.c, err, q.e.name, q.s)
	}
}

// due is what a set of calls is owed.
type due struct {
	must    bool   // it has to pass
	may     bool   // it may pass
	refusal uint32 // what it gets where it does not
	why     string
}

func (q question) judge(cube *words.Cube, got uint32, owed due) {
	nr, args := member(cube)
	if again, err := q.e.at(q.c.machine, int(int32(nr&^q.c.machine.base)), args); err != nil || again != got {
		q.p.fail("%v %#x: %s about one call, %s about the set (%s, under %v) %v",
			q.c, args, word(again), word(got), q.e.name, q.s, orNothing(err))
	}
	left := q.otherwise // for names that this libseccomp does not know
	if q.e.stub.answers(q.c.machine, q.c.nr) {
		left = refuseENOSYS
	}
	switch {
	case got == left && slices.Contains(q.e.skip, q.c.name):
	case owed.must && got != retAllow:
		q.p.fail("%s %v%s would get %s (%s, under %v)", owed.why, q.c, when(cube), word(got), q.e.name, q.s)
	case owed.must, owed.may && got == retAllow:
	case got != owed.refusal:
		q.p.fail("unrecorded %v%s would get %s, want %s (%s, under %v)",
			q.c, when(cube), word(got), word(owed.refusal), q.e.name, q.s)
	}
}

func orNothing(err error) any {
	if err == nil {
		return ""
	}
	return err
}

// owed is what is intended for a set of calls of the number.
func (q question) owed(cube *words.Cube) (d due, part words.Test, done bool) {
	d.refusal = q.refusal()
	if !q.listed {
		return d, part, true
	}
	if d.must, d.why, part, done = q.required(cube); !done || d.must {
		return d, part, done
	}
	d.may, part, done = q.licensed(cube)
	return d, part, done
}

// refusal is the answer that the number is owed where it does not pass: runc's
// own comes first, then the kill of architectures that are not listed.
func (q question) refusal() uint32 {
	g := q.p.grants[q.c.name]
	switch {
	case q.e.stub.answers(q.c.machine, q.c.nr):
		return refuseENOSYS
	case !q.listed:
		return retKillThread
	}
	return q.p.intended(q.c.name, g != nil && !g.whole)
}

// required settles whether the calls have to pass: what was recorded, what
// runtimes and libraries need, what the user asked for.
func (q question) required(cube *words.Cube) (must bool, why string, part words.Test, done bool) {
	for _, f := range q.needed {
		if f.lacking {
			continue
		}
		if len(f.kinds) == 0 {
			return true, "recorded", part, true
		}
		for _, kind := range f.kinds {
			if must, part, done = within(kind, q.c.machine, cube); !done || must {
				return must, "recorded", part, done
			}
		}
	}
	g := q.p.grants[q.c.name]
	if g != nil && g.must {
		if len(g.fixed) == 0 {
			return true, "needed", part, q.c.name != ""
		}
		for _, tests := range g.fixed {
			if must, part, done = all(tests, q.c.machine, cube); !done || must {
				return must, "needed", part, done
			}
		}
	}
	if q.p.base != nil {
		ret, part, done := q.p.base.on(q.c, cube)
		return done && passes(ret), "the base profile's", part, done
	}
	return false, "", part, true
}

// licensed settles whether the calls may pass: by their name, or because they
// carry a call that may.
func (q question) licensed(cube *words.Cube) (may bool, part words.Test, done bool) {
	if may, part, done = q.p.grants[q.c.name].contains(q.c.machine, cube); !done || may {
		return may, part, done
	}
	for _, name := range q.p.carriedBy(q.c) {
		_, id, _ := multiplexed(q.c.machine, name)
		tests := []test{{Index: 0, Op: "SCMP_CMP_EQ", Value: id}}
		if may, part, done = all(tests, q.c.machine, cube); !done || may {
			return may, part, done
		}
	}
	return false, part, true
}

// carriedBy are the calls with a grant that a multiplexer of i386 also makes,
// sorted; of some, such as semtimedop, it is the only way there.
func (p *proof) carriedBy(c cell) []string {
	if c.name != "socketcall" && c.name != "ipc" {
		return nil
	}
	var list []string
	for name := range p.grants {
		if carrier, _, ok := multiplexed(c.machine, name); ok && carrier == c.nr {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}
