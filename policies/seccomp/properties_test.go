package seccomp

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"advisor/policies"
	"advisor/trace"
)

// randomObservation is calls of one or two architectures, some with arguments.
func randomObservation(rng *rand.Rand) policies.Observation {
	o := observation(trace.ArchX8664)
	for _, arch := range []string{trace.ArchX8664, trace.ArchI386}[:1+rng.IntN(2)] {
		names := trace.Syscalls(arch)
		for range 5 + rng.IntN(30) {
			one := observation(arch, names[rng.IntN(len(names))]).Syscalls[0]
			if rng.IntN(3) == 0 {
				one.Phase, one.Filtered = trace.PhaseStart, rng.IntN(2) == 0
			}
			for range rng.IntN(3) {
				one.Args = append(one.Args, []trace.Arg{{Index: rng.IntN(3), Value: rng.Uint64N(4), Mask: 1<<32 - 1}})
			}
			o.Syscalls = append(o.Syscalls, one)
		}
	}
	return o
}

// both is what two recordings of one workload say together.
func both(a, b policies.Observation) policies.Observation {
	a.Syscalls = slices.Concat(a.Syscalls, b.Syscalls)
	return a
}

// TestUnionAllowsWhatEachAllows: the profile of two recordings lets pass what
// those of each alone do, is proven against both, and is the same whatever the
// order of the facts.
func TestUnionAllowsWhatEachAllows(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 32))
	for range 25 {
		a, b := randomObservation(rng), randomObservation(rng)
		opt := Options{Arguments: rng.IntN(2) == 0, Action: []string{"errno", "kill", "log"}[rng.IntN(3)]}
		all := both(a, b)
		whole := synthesize(t, all, opt)
		for _, part := range []policies.Observation{a, b} {
			p := synthesize(t, part, opt).Profile
			list, err := Compare(p, whole.Profile, Context{Runtime: Runc})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range list {
				// What only the runtime makes is narrowed once its arguments
				// were recorded.
				if c.Kind == Refused && !opt.Arguments {
					t.Fatalf("%+v: two recordings lose %v", opt, c)
				}
			}
			if missingIn(whole.Profile, part) {
				t.Fatalf("%+v: the profile of two recordings does not fit one of them", opt)
			}
		}
		if proof := prove(t, whole, all, opt); !proof.OK() {
			t.Fatalf("%+v: %q", opt, proof.Failed)
		}
		rng.Shuffle(len(all.Syscalls), func(i, j int) {
			all.Syscalls[i], all.Syscalls[j] = all.Syscalls[j], all.Syscalls[i]
		})
		if x, y := text(t, whole.Profile), text(t, synthesize(t, all, opt).Profile); !bytes.Equal(x, y) {
			t.Fatalf("%+v: another order, another profile\n%s\n%s", opt, x, y)
		}
	}
}

// missingIn tells whether a profile refuses anything that was observed.
func missingIn(p Profile, o policies.Observation) bool {
	return slices.ContainsFunc(Check(p, Context{}, o), func(f policies.Finding) bool {
		return f.Class == policies.Missing || f.Class == policies.Unknown
	})
}

func text(t *testing.T, p Profile) []byte {
	t.Helper()
	out, err := p.Render(OCI)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestGenerateThenCompareIsEmpty: what is written and read again, in every
// format that can say it, is the same, and fits what it was made from.
func TestGenerateThenCompareIsEmpty(t *testing.T) {
	rng := rand.New(rand.NewPCG(33, 34))
	for range 15 {
		o := randomObservation(rng)
		s := synthesize(t, o, Options{Arguments: true})
		for _, f := range []Format{OCI, Docker, Podman} {
			out, err := s.Profile.Render(f)
			if err != nil {
				t.Fatal(err)
			}
			back, errs := Parse("p.json", out)
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			if list, err := Compare(s.Profile, back, Context{Runtime: Runc}); err != nil || len(list) > 0 {
				t.Fatalf("%s: %v %v", f, err, list)
			}
			if list := Check(back, Context{Runtime: Runc}, o); len(list) > 0 {
				t.Fatalf("%s: %v", f, lines(list))
			}
		}
	}
}
