//go:build libseccomp

package seccomp

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"advisor/policies/seccomp/libseccomp"
)

// TestDifferential holds our semantics against the compiled program for random
// profiles of the kinds on which they must agree always.
func TestDifferential(t *testing.T) {
	for _, tt := range []struct {
		name string
		kind kind
	}{
		{"equality", kind{ops: []Op{Equal, MaskedEqual}, args: 3}},
		{"single conditions", kind{ops: ops[:], args: 1}},
		{"wide equality", kind{ops: []Op{Equal, MaskedEqual}, args: 3, wide: true}},
		{"mixed equality", kind{ops: []Op{Equal, MaskedEqual}, args: 3, mixed: true}},
		{"mixed single conditions", kind{ops: ops[:], args: 1, mixed: true}},
		{"many for one call", kind{ops: []Op{Equal, MaskedEqual}, args: 3, mixed: true, wide: true, dense: true}},
		{"many single conditions", kind{ops: ops[:], args: 1, dense: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			differential(t, 250, func(rng *rand.Rand) Profile { return randomProfile(rng, tt.kind) })
		})
	}
}

// TestDifferentialOrderOfArguments has rules with different actions that
// overlap because they are about different arguments: the order in which the
// compiled program tests them is known, so that there the two must agree too.
func TestDifferentialOrderOfArguments(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	for range 100 {
		p := Profile{Default: Errno, Architectures: []Arch{X8664}}
		for _, index := range rng.Perm(4) {
			p.Rules = append(p.Rules, Rule{
				Names: []string{"read"}, Action: []Action{Allow, Log, KillProcess}[rng.IntN(3)],
				Args: []Arg{{Index: uint(index), Op: Equal, Value: uint64(rng.IntN(3))}},
			})
		}
		list, err := Disagreements(p, Context{})
		if err != nil || len(list) > 0 {
			t.Fatalf("%v %+v\n%s", err, list, written(p))
		}
	}
}

// differing are the kinds of profiles of which the compiled program may be
// something else, each with the seed of one that is.
func differing() []seeded {
	return []seeded{
		{"sparse", kind{ops: ops[:], args: 3}, 31},
		{"dense", kind{ops: ops[:], args: 3, dense: true}, 3},
		{"dense and mixed", kind{ops: ops[:], args: 3, dense: true, mixed: true}, 3},
		{"wide", kind{ops: ops[:], args: 1, dense: true, wide: true}, 2},
		{"everything", kind{ops: ops[:], args: 3, dense: true, wide: true, mixed: true}, 3},
	}
}

type seeded struct {
	name string
	kind kind
	seed uint64
}

// FuzzDifferential does the same for as long as it is let, with conditions by
// order too. It starts from profiles of which the compiled program differs.
func FuzzDifferential(f *testing.F) {
	for which, k := range differing() {
		f.Add(uint64(1), uint64(2), which)
		f.Add(k.seed, uint64(0), which)
	}
	f.Fuzz(func(t *testing.T, a, b uint64, which int) {
		p := randomProfile(rand.New(rand.NewPCG(a, b)), kind{ops: []Op{Equal, MaskedEqual}, args: 3, mixed: which%2 == 1})
		if text := compareEvaluators(p, Context{Runtime: Runc}); text != "" {
			t.Errorf("%s\n%s", text, written(p))
		}
		at := (which%len(differing()) + len(differing())) % len(differing())
		holdsCauses(t, randomProfile(rand.New(rand.NewPCG(a, b)), differing()[at].kind))
	})
}

// holdsCauses wants the cause of every difference known, and constants below
// 2^32 to need none but [JoinedOrder]. It tells whether there is one that is
// not a matter of taste.
func holdsCauses(t *testing.T, p Profile) (differ, asked bool) {
	t.Helper()
	list, err := Disagreements(p, Context{})
	if err != nil {
		return false, false // not asked, or refused by both
	}
	for _, d := range list {
		if d.Cause == "" || d.Cause == WideOrder && !hasWide(p) {
			t.Fatalf("differs without a known cause: %+v\n%s", d, written(p))
		}
		differ = differ || d.Cause != Contested
	}
	return differ, true
}

func hasWide(p Profile) bool {
	return slices.ContainsFunc(p.Rules, func(r Rule) bool {
		return slices.ContainsFunc(r.Args, func(a Arg) bool { return a.Value >= 1<<32 })
	})
}

// TestDifferentialOrder has conditions by order, several arguments and large
// constants, where the compiled program is not always the rules. Every
// difference must have its cause known: what is not pointed out agrees always.
// Most agree although they are pointed out, and most are asked about.
func TestDifferentialOrder(t *testing.T) {
	for i, k := range differing() {
		t.Run(k.name, func(t *testing.T) {
			if differ, _ := holdsCauses(t, randomProfile(rand.New(rand.NewPCG(k.seed, 0)), k.kind)); !differ {
				t.Error("the seed is none of a profile that differs")
			}
			rng := rand.New(rand.NewPCG(11, uint64(i)))
			const rounds = 250
			differs, asks, pointedOut := 0, 0, 0
			for range rounds {
				p := randomProfile(rng, k.kind)
				differ, asked := holdsCauses(t, p)
				if differ {
					differs++
				}
				if asked {
					asks++
				}
				if suspect(t, p) {
					pointedOut++
				}
			}
			t.Logf("%d of %d profiles differ, %d are pointed out, %d were asked about", differs, rounds, pointedOut, asks)
			if differs == 0 || pointedOut > rounds*4/5 || asks < rounds*9/10 {
				t.Error("nothing is shown by that")
			}
		})
	}
}

// suspect tells whether any call of a profile may be compiled otherwise.
func suspect(t *testing.T, p Profile) bool {
	t.Helper()
	prog, err := Load(p, Context{})
	if err != nil {
		return false
	}
	for _, clauses := range prog.calls {
		if joinsOrder(clauses) || partsWide(clauses) {
			return true
		}
	}
	return false
}

// TestGeneratedRulesAreNotJoined: what is synthesized, with whatever arguments,
// has conditions by equality alone, and the compiled program is what it says.
func TestGeneratedRulesAreNotJoined(t *testing.T) {
	for _, action := range []string{"errno", "kill", "log"} {
		s := synthesize(t, withArgs(), Options{Arguments: true, Action: action})
		for _, r := range s.Profile.Rules {
			for _, a := range r.Args {
				if !a.exact() {
					t.Errorf("%v: a condition by order", r)
				}
			}
		}
		list, err := Disagreements(s.Profile, Context{Runtime: Runc})
		for _, d := range list {
			if err != nil || d.Cause != UnknownName {
				t.Errorf("%s: %v %+v", action, err, d)
			}
		}
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
	list = slices.DeleteFunc(list, func(d Disagreement) bool { return d.Cause == Contested })
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
