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
