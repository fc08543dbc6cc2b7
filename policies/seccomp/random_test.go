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
	wide  bool // also constants from 2^32 on, on x86_64 only
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
	} else if rng.IntN(3) == 0 {
		p.Architectures = []Arch{X8664, X86, X32}
	}
	names := []string{"read", "socket", "clone", "semget", "ioctl"}[:1+rng.IntN(5)]
	for range 1 + rng.IntN(4) {
		r := Rule{
			Names:  []string{names[rng.IntN(len(names))]},
			Action: outcomes[rng.IntN(len(outcomes))],
		}
		for range rng.IntN(k.args + 1) {
			value := constants[rng.IntN(len(constants))]
			a := Arg{
				Index: uint(rng.IntN(3)), Op: k.ops[rng.IntN(len(k.ops))], Value: value,
			}
			if a.Op == MaskedEqual {
				a.ValueTwo = value & constants[rng.IntN(len(constants))]
			}
			r.Args = append(r.Args, a)
		}
		p.Rules = append(p.Rules, r)
	}
	return p
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
