package seccomp

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"advisor/trace"
)

// kind is what the conditions of random profiles are made of.
type kind struct {
	ops   []Op
	args  int  // at most, in one rule
	mixed bool // rules with different actions
	wide  bool // also constants from 2^32 on
	dense bool // all rules are for one call, and each has conditions
}

// randomProfile has few names, arguments and constants, so that rules meet.
func randomProfile(rng *rand.Rand, k kind) Profile {
	outcomes := []Action{Allow}
	if k.mixed {
		outcomes = []Action{Allow, Log, KillProcess, Errno}
	}
	p := Profile{Default: Errno, DefaultErrno: errnoOf(eNOSYS), Architectures: []Arch{X8664}}
	constants := small
	if k.wide {
		constants = append([]uint64{1 << 32, 1<<32 | 1, 1<<63 | 5}, small...)
	}
	if rng.IntN(3) == 0 {
		p.Architectures = []Arch{X8664, X86, X32}
	}
	if k.dense {
		p.Rules = denseRules(rng, k, outcomes, constants)
		return p
	}
	names := []string{"read", "socket", "clone", "semget", "ioctl"}[:1+rng.IntN(5)]
	for range 1 + rng.IntN(4) {
		r := Rule{
			Names:  []string{names[rng.IntN(len(names))]},
			Action: outcomes[rng.IntN(len(outcomes))],
		}
		for range rng.IntN(k.args + 1) {
			r.Args = append(r.Args, randomArg(rng, k, rng.IntN(3), constants))
		}
		p.Rules = append(p.Rules, r)
	}
	return p
}

// denseRules are a few rules for one call that all have conditions, each on
// arguments of its own.
func denseRules(rng *rand.Rand, k kind, outcomes []Action, constants []uint64) []Rule {
	var rules []Rule
	places := 1 + rng.IntN(k.args)
	for range 2 + rng.IntN(3) {
		r := Rule{Names: []string{"getppid"}, Action: outcomes[rng.IntN(len(outcomes))]}
		for _, index := range rng.Perm(places)[:1+rng.IntN(places)] {
			r.Args = append(r.Args, randomArg(rng, k, index, constants))
		}
		rules = append(rules, r)
	}
	return rules
}

// randomArg is a condition, with a mask now and then one that wants bits outside it.
func randomArg(rng *rand.Rand, k kind, index int, constants []uint64) Arg {
	a := Arg{
		Index: uint(index), Op: k.ops[rng.IntN(len(k.ops))], Value: constants[rng.IntN(len(constants))],
	}
	if a.Op == MaskedEqual {
		a.ValueTwo = constants[rng.IntN(len(constants))]
		if rng.IntN(4) > 0 {
			a.ValueTwo &= a.Value
		}
	}
	return a
}

var small = []uint64{0, 1, 2, 3, 5, 0x7e020000, 0xffffffff}

func written(p Profile) string {
	var b strings.Builder
	for i, r := range p.Rules {
		fmt.Fprintf(&b, "  %d %v %v %+v\n", i, r.Names, r.Action, r.Args)
	}
	fmt.Fprintf(&b, "  %v", p.Architectures)
	return b.String()
}

// randomPoint is a call that the rules of random profiles are about.
func randomPoint(rng *rand.Rand) Point {
	archs := []string{trace.ArchX8664, trace.ArchX8664, trace.ArchI386, trace.ArchX32}
	pt := Point{Arch: archs[rng.IntN(len(archs))]}
	name := [...]string{"read", "socket", "clone", "semget", "ioctl", "write"}[rng.IntN(6)]
	pt.Nr, _ = trace.SyscallNumber(pt.Arch, name)
	for i := range 3 {
		pt.Args[i] = small[rng.IntN(len(small))] + uint64(rng.IntN(3)) - 1
		if rng.IntN(5) == 0 {
			pt.Args[i] |= 1 << 32
		}
	}
	return pt
}

func containsAny(s string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}
