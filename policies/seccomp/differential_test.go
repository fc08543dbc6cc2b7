//go:build libseccomp

package seccomp

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"advisor/policies/seccomp/libseccomp"
)

// kind is what the conditions of random profiles are made of.
type kind struct {
	ops   []Op
	args  int  // at most, in one rule
	mixed bool // rules with different actions
}

// randomProfile has few names, arguments and constants, so that rules meet.
func randomProfile(rng *rand.Rand, k kind) Profile {
	outcomes := []Action{Allow}
	if k.mixed {
		outcomes = []Action{Allow, Log, KillProcess, Errno}
	}
	p := Profile{Default: Errno, DefaultErrno: errnoOf(eNOSYS), Architectures: []Arch{X8664}}
	if rng.IntN(3) == 0 {
		p.Architectures = []Arch{X8664, X86, X32}
	}
	names := []string{"read", "socket", "clone", "semget", "ioctl"}[:1+rng.IntN(5)]
	for range 1 + rng.IntN(4) {
		r := Rule{
			Names:  []string{names[rng.IntN(len(names))]},
			Action: outcomes[rng.IntN(len(outcomes))],
		}
		for range rng.IntN(k.args + 1) {
			value := small[rng.IntN(len(small))]
			a := Arg{
				Index: uint(rng.IntN(3)), Op: k.ops[rng.IntN(len(k.ops))], Value: value,
			}
			if a.Op == MaskedEqual {
				a.ValueTwo = value & small[rng.IntN(len(small))]
			}
			r.Args = append(r.Args, a)
		}
		p.Rules = append(p.Rules, r)
	}
	return p
}

var small = []uint64{0, 1, 2, 3, 5, 0x7e020000, 0xffffffff}

// TestDifferential holds our semantics against the compiled program for random
// profiles of the kinds on which they must agree always.
func TestDifferential(t *testing.T) {
	for _, tt := range []struct {
		name string
		kind kind
	}{
		{"equality", kind{ops: []Op{Equal, MaskedEqual}, args: 3}},
		{"single conditions", kind{ops: ops[:], args: 1}},
		{"mixed equality", kind{ops: []Op{Equal, MaskedEqual}, args: 3, mixed: true}},
		{"mixed single conditions", kind{ops: ops[:], args: 1, mixed: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			differential(t, 250, func(rng *rand.Rand) Profile { return randomProfile(rng, tt.kind) })
		})
	}
}

func differential(t *testing.T, rounds int, generate func(*rand.Rand) Profile) {
	t.Helper()
	rng := rand.New(rand.NewPCG(7, 8))
	contexts := []Context{{}, {Runtime: Runc}, {Runtime: Runc, RuntimeVersion: "1.1.5"}}
	bad := 0
	for i := range rounds {
		p, ctx := generate(rng), contexts[rng.IntN(len(contexts))]
		if text := compareEvaluators(p, ctx); text != "" {
			bad++
			if bad <= 5 {
				t.Errorf("profile %d under %v: %s\n%s", i, ctx, text, written(p))
			}
		}
	}
	if bad > 0 {
		t.Errorf("%d of %d profiles", bad, rounds)
	}
}

func written(p Profile) string {
	var b strings.Builder
	for i, r := range p.Rules {
		fmt.Fprintf(&b, "  %d %v %v %+v\n", i, r.Names, r.Action, r.Args)
	}
	fmt.Fprintf(&b, "  %v", p.Architectures)
	return b.String()
}

// compareEvaluators says how they differ where the rules alone decide, be it in
// refusing the profile.
func compareEvaluators(p Profile, ctx Context) string {
	prog, ours := Load(p, ctx)
	bin, theirs := Compile(p, ctx)
	var problem Problem
	switch {
	case errors.Is(theirs, libseccomp.ErrNotAsked):
		return ""
	case ours != nil && theirs != nil:
		if !errors.As(ours, &problem) {
			return ours.Error()
		}
		return ""
	case ours != nil || theirs != nil:
		return fmt.Sprintf("ours: %v, libseccomp: %v", ours, theirs)
	}
	list, err := prog.against(bin, ctx)
	if err != nil {
		return err.Error()
	}
	list = slices.DeleteFunc(list, func(d Disagreement) bool { return d.Contested })
	if len(list) == 0 {
		return ""
	}
	d := list[0]
	return fmt.Sprintf("%d cases, first %v %s: declared %v, compiled %v",
		len(list), d.Point, d.When, d.Declared, d.Compiled)
}

func TestLinked(t *testing.T) {
	if libseccomp.Version() == "" {
		t.Fatal("no version")
	}
}
