package proof

import (
	"math/rand/v2"
	"slices"
	"testing"

	"advisor/policies/seccomp"
	"advisor/policies/seccomp/words"
	"advisor/trace"
)

// answerOf is the outcome of the other reading as a return value.
func answerOf(o seccomp.Outcome) uint32 {
	v, _ := returnValue(string(o.Action), uint32(o.Errno))
	return v
}

// TestReadingsAgree holds this reading of rules against that of package
// seccomp, which was written by another: two profiles in wide use, under every
// runtime, at random calls.
func TestReadingsAgree(t *testing.T) {
	for name, asked := range map[string]Asked{
		"docker":       {Capabilities: seccomp.EngineCapabilities("docker"), Engine: "docker"},
		"podman":       {Capabilities: seccomp.EngineCapabilities("podman"), Engine: "podman"},
		"everything":   {Capabilities: []string{"ALL"}, Engine: "docker", Kernel: "4.4"},
		"nothing, old": {Engine: "docker", Kernel: "4.7.9-rc1"},
	} {
		for _, s := range []setting{
			{"runc", "", trace.ArchX8664}, {"runc", "1.1.5", trace.ArchX8664},
			{"crun", "1.8.1", trace.ArchX8664}, {"runc", "", trace.ArchAarch64},
		} {
			t.Run(name+" "+s.String()+" "+s.host, func(t *testing.T) { agree(t, asked, s) })
		}
	}
}

func agree(t *testing.T, asked Asked, s setting) {
	text, err := seccomp.DockerDefault().Render(seccomp.Docker)
	if err != nil {
		t.Fatal(err)
	}
	d, err := read(text)
	if err != nil {
		t.Fatal(err)
	}
	d = d.resolve(asked, s.host)
	ours := readRules(d, s)
	theirs, err := seccomp.Load(seccomp.DockerDefault(), seccomp.Context{
		Engine: asked.Engine, Capabilities: asked.Capabilities, Kernel: asked.Kernel,
		Arch: s.host, Runtime: s.runtime, RuntimeVersion: s.version,
	})
	if err != nil {
		t.Fatal(err)
	}
	program, err := compile(d, s)
	if err != nil && !unavailable(err) {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(21, 22))
	for _, m := range on(s.host) {
		for _, c := range cells(m) {
			for range 3 {
				args := [6]uint64{interesting(rng), interesting(rng), rng.Uint64()}
				want := answerOf(theirs.Evaluate(seccomp.Point{Arch: m.audit, Nr: c.nr, Args: args}).Outcome)
				if got := ours.at(m, c.nr, args); got != want {
					t.Fatalf("%v %#x: %s here, %s there", c, args, word(got), word(want))
				}
				if program == nil || incomparable(program, ours, c) {
					continue
				}
				if got, err := program.at(m, c.nr, args); err != nil || got != want {
					t.Fatalf("%v %#x: %s %v compiled, %s by the rules", c, args, word(got), err, word(want))
				}
			}
		}
	}
}

// incomparable are numbers about which the library knows less than the tables:
// it lacks their names, or the highest name of all.
func incomparable(p *compiled, r *reading, c cell) bool {
	return slices.Contains(p.unknown, c.name) || p.stub.answers(c.machine, c.nr) != r.stub.answers(c.machine, c.nr)
}

func interesting(rng *rand.Rand) uint64 {
	list := [...]uint64{0, 1, 2, 8, 38, 39, 40, 0x20000, 0x20008, 0x7e020000, 0xffffffff, 1 << 32, ^uint64(0)}
	return list[rng.IntN(len(list))]
}

// FuzzRead checks that no text panics, and that what is read has an answer for
// every call.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}`))
	f.Add([]byte("apiVersion: v1\nkind: SeccompProfile\nspec:\n  defaultAction: SCMP_ACT_LOG\n"))
	f.Add([]byte(`{"defaultAction":"SCMP_ACT_KILL","syscalls":[{"name":"socket","action":"SCMP_ACT_LOG",
		"args":[{"index":0,"value":1,"op":"SCMP_CMP_LE"}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := read(text)
		if err != nil {
			return
		}
		r := readRules(d, setting{"runc", "", trace.ArchX8664})
		for _, m := range on(trace.ArchX8664) {
			for _, c := range cells(m)[:60] {
				budget := 1 << 10
				cube := c.calls()
				if err := settled(r, c, &cube, &budget); err != nil {
					return // too many rules for one call
				}
			}
		}
	})
}

// settled asks about a set and about a member of each of its parts.
func settled(r *reading, c cell, cube *words.Cube, budget *int) error {
	return parts(*cube, budget, func(cube *words.Cube) (words.Test, bool, error) {
		ret, part, done := r.on(c, cube)
		if _, args := member(cube); done && ret != contended && r.at(c.machine, c.nr, args) != ret {
			panic("a set and its member differ")
		}
		return part, done, nil
	})
}
