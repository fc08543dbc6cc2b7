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

// FuzzDifferential does the same for as long as it is let.
func FuzzDifferential(f *testing.F) {
	f.Add(uint64(1), uint64(2), false)
	f.Fuzz(func(t *testing.T, a, b uint64, mixed bool) {
		k := kind{ops: []Op{Equal, MaskedEqual}, args: 3, mixed: mixed}
		p := randomProfile(rand.New(rand.NewPCG(a, b)), k)
		if text := compareEvaluators(p, Context{Runtime: Runc}); text != "" {
			t.Errorf("%s\n%s", text, written(p))
		}
	})
}

// TestDifferentialOrder has conditions by order and several arguments, where
// the compiled program is not always the rules. Every difference must have its
// cause known: what is not pointed out agrees always.
func TestDifferentialOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	differ, pointedOut := 0, 0
	for range 1000 {
		p := randomProfile(rng, kind{ops: ops[:], args: 3})
		list, err := Disagreements(p, Context{})
		if err != nil {
			continue // not asked, or refused by both
		}
		if slices.ContainsFunc(list, func(d Disagreement) bool { return d.Cause == JoinedOrder }) {
			differ++
		}
		for _, d := range list {
			if d.Cause == "" {
				t.Fatalf("differs without a known cause: %+v\n%s", d, written(p))
			}
		}
		if suspect(t, p) {
			pointedOut++
		}
	}
	t.Logf("%d of 1000 profiles differ, %d are pointed out", differ, pointedOut)
	if differ == 0 || pointedOut > 400 {
		t.Error("nothing is shown by that")
	}
}

// suspect tells whether any call of a profile may be compiled otherwise.
func suspect(t *testing.T, p Profile) bool {
	t.Helper()
	prog, err := Load(p, Context{})
	if err != nil {
		t.Fatal(err)
	}
	for _, clauses := range prog.calls {
		if joinsOrder(clauses) {
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
