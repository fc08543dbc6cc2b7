package seccomp

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"advisor/policies"
	"advisor/policies/seccomp/cbpf"
	"advisor/policies/seccomp/libseccomp"
	"advisor/trace"
)

// Call is a system call to ask about. Of the arguments the first ones may be
// known; the others may be anything.
type Call struct {
	Arch string // audit architecture
	Nr   int
	Args []uint64
}

// ParseCall reads a call as people write it: "socket", "i386/socket", "41",
// then arguments in decimal, 0x or negative. host is the architecture where
// none is written.
func ParseCall(host, text string, args []string) (Call, error) {
	c := Call{Arch: host}
	name := text
	if arch, rest, ok := strings.Cut(text, "/"); ok {
		c.Arch, name = arch, rest
	}
	if _, ok := abiByAudit(c.Arch); !ok {
		return c, fmt.Errorf("architecture %q: not one of %s", c.Arch, strings.Join(trace.Archs(), ", "))
	}
	var err error
	if nr, ok := trace.SyscallNumber(c.Arch, name); ok {
		c.Nr = nr
	} else if c.Nr, err = strconv.Atoi(name); err != nil {
		return c, fmt.Errorf("system call %q: %s has none of that name", name, c.Arch)
	}
	if len(args) > 6 {
		return c, fmt.Errorf("%d arguments: calls have six at most", len(args))
	}
	for _, a := range args {
		v, err := strconv.ParseUint(a, 0, 64)
		if err != nil {
			negative, bad := strconv.ParseInt(a, 0, 64)
			if bad != nil {
				return c, fmt.Errorf("argument %q: not a number of 64 bits", a)
			}
			v = uint64(negative)
		}
		c.Args = append(c.Args, v)
	}
	return c, nil
}

// Case is what happens to a part of the calls that were asked about.
type Case struct {
	Outcome
	When     string            `json:"when,omitempty"` // on the arguments; empty: always
	Why      Why               `json:"why"`
	Rule     int               `json:"rule"` // index into the profile's entries, -1: none
	Position policies.Position `json:"position,omitzero"`
	// Compiled is what the program that libseccomp compiles does instead, nil
	// where it does the same or was not asked.
	Compiled *Outcome `json:"compiled,omitempty"`
}

// Explanation is what a profile does with a call, and why.
type Explanation struct {
	Call    string `json:"call"` // "x86_64/socket"
	Nr      int    `json:"nr"`
	Context string `json:"context"`
	Cases   []Case `json:"cases"`
	// Evaluators is 2 where the compiled program was asked too.
	Evaluators int `json:"evaluators"`
}

// Made says that the call is made in every case.
func (e Explanation) Made() bool {
	for _, c := range e.Cases {
		if !c.Action.Admits() || c.Compiled != nil && !c.Compiled.Action.Admits() {
			return false
		}
	}
	return true
}

// Explain says what becomes of a call under a context, by the rules and, where
// libseccomp is in this build, by the program it compiles. The error says why
// the profile would not be loaded.
func Explain(p Profile, ctx Context, call Call) (Explanation, error) {
	prog, err := Load(p, ctx)
	if err != nil {
		return Explanation{}, err
	}
	a, ok := abiByAudit(call.Arch)
	if !ok {
		return Explanation{}, fmt.Errorf("architecture %q: not known", call.Arch)
	}
	c := cell{abi: a, nr: call.Nr}
	e := Explanation{
		Call: Point{Arch: call.Arch, Nr: call.Nr}.String(), Nr: call.Nr, Context: ctx.String(), Evaluators: 1,
	}
	other, err := Compile(p, ctx)
	second := nothing()
	switch {
	case err == nil:
		e.Evaluators, second = 2, other.compiled()
	case !errors.Is(err, libseccomp.ErrNotLinked) && !errors.Is(err, libseccomp.ErrNotAsked):
		return Explanation{}, err
	}
	cube := c.all()
	for i, v := range call.Args {
		cube = cube.Fixed(cbpf.ArgLow(i), uint32(v)).Fixed(cbpf.ArgHigh(i), uint32(v>>32))
	}
	c.narrow = &cube
	var leaves []leaf
	err = walk(c, prog.declared(c), second, func(l leaf) { leaves = append(leaves, l) })
	e.Cases = p.cases(leaves, e.Evaluators == 2)
	return e, err
}

// cases puts parts with the same answer for the same reason together.
func (p Profile) cases(leaves []leaf, both bool) []Case {
	type key struct {
		v     Verdict
		other Outcome
	}
	var keys []key
	when := map[key][]string{}
	for _, l := range leaves {
		k := key{l.a, l.b.Outcome}
		if _, ok := when[k]; !ok {
			keys = append(keys, k)
		}
		when[k] = append(when[k], conditions(l.cube()))
	}
	var list []Case
	for _, k := range keys {
		c := Case{
			Outcome: k.v.Outcome, When: either(when[k]), Why: k.v.Why, Rule: k.v.Rule,
			Position: p.Place(k.v.Rule, k.v.Name),
		}
		if both && k.other != k.v.Outcome {
			c.Compiled = &k.other
		}
		list = append(list, c)
	}
	return list
}

// String is the explanation, a line for each case.
func (e Explanation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, number %d, under %s\n", e.Call, e.Nr, e.Context)
	for _, c := range e.Cases {
		fmt.Fprintf(&b, "  %v", c.Outcome)
		if c.When != "" {
			fmt.Fprintf(&b, " when %s", c.When)
		}
		fmt.Fprintf(&b, ": %s", c.Why)
		if c.Rule >= 0 {
			fmt.Fprintf(&b, " %d", c.Rule)
		}
		if at := c.Position.String(); at != "" && (c.Why == ByRule || c.Why == ByDefault) {
			fmt.Fprintf(&b, " at %s", at)
		}
		if c.Compiled != nil {
			fmt.Fprintf(&b, "; the program that libseccomp compiles says %v", *c.Compiled)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
