//go:build libseccomp

package seccomp

import (
	"slices"
	"testing"

	"advisor/trace"

	"github.com/google/go-cmp/cmp"
)

// TestDockerDefaultCompiled has libseccomp compile a large profile, as a tree
// and as a list, and finds no call on which the evaluators disagree.
func TestDockerDefaultCompiled(t *testing.T) {
	for _, ctx := range []Context{
		{Engine: "docker", Capabilities: EngineCapabilities("docker"), Runtime: Runc},
		{Engine: "docker", Capabilities: []string{"ALL"}, Runtime: Crun},
		{Engine: "docker", Runtime: Runc, RuntimeVersion: "1.1.5", Arch: "aarch64"},
	} {
		list, err := Disagreements(resolvable(t, DockerDefault(), ctx), ctx)
		if err != nil || len(list) > 0 {
			t.Errorf("%v: %v %+v", ctx, err, list)
		}
	}
}

// TestMultiplexersCompiled has a rule for every call that i386 programs also make
// through socketcall or ipc: libseccomp means the same call by it.
func TestMultiplexersCompiled(t *testing.T) {
	count := 0
	for _, name := range trace.Syscalls(trace.ArchI386) {
		if _, ok := multiplexed(trace.ArchI386, name); ok {
			count += comparedAlone(t, name)
		}
	}
	for _, name := range []string{"accept", "send", "recv", "semop", "semtimedop"} { // no numbers of their own
		count += comparedAlone(t, name)
	}
	if count < 30 {
		t.Errorf("only %d calls were compared", count)
	}
}

func comparedAlone(t *testing.T, name string) int {
	t.Helper()
	first, second := Arg{Index: 0, Op: Equal, Value: 5}, Arg{Index: 1, Op: Equal, Value: 7}
	for _, args := range [][]Arg{nil, {first}, {second}, {first, second}} {
		p := Profile{Default: Errno, Architectures: []Arch{X8664, X86, X32}, Rules: []Rule{
			{Names: []string{name}, Action: Allow, Args: args}}}
		list, err := Disagreements(p, Context{})
		if err != nil || len(list) > 0 {
			t.Errorf("%s %v: %v %+v", name, args, err, list)
		}
	}
	return 1
}

// TestCompiledComparison compares the compiled programs of two profiles, with
// no reading of the rules, and finds the same changes.
func TestCompiledComparison(t *testing.T) {
	ctx := Context{Engine: "docker", Capabilities: EngineCapabilities("docker"), Runtime: Runc}
	one, other := resolvable(t, DockerDefault(), ctx), resolvable(t, podmanLike(), ctx)
	a, err := Compile(one, ctx)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Compile(other, ctx)
	if err != nil {
		t.Fatal(err)
	}
	got, err := CompiledChanges(a, b, ctx)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := Load(one, ctx)
	after, _ := Load(other, ctx)
	want, err := before.Changes(after, ctx)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(short(want), short(got)); diff != "" {
		t.Errorf("(-rules +compiled)\n%s", diff)
	}
}

// resolvable is the profile without the names that the linked libseccomp does
// not know: it leaves them out, and so would differ.
func resolvable(t *testing.T, p Profile, ctx Context) Profile {
	t.Helper()
	bin, err := Compile(p, ctx)
	if err != nil {
		t.Fatal(err)
	}
	p.Rules = slices.Clone(p.Rules)
	for i, r := range p.Rules {
		p.Rules[i].Names = slices.DeleteFunc(slices.Clone(r.Names), func(name string) bool {
			return slices.Contains(bin.Unknown, name)
		})
	}
	return p
}

func short(list []Change) []string {
	var out []string
	for _, c := range list {
		out = append(out, string(c.Kind)+" "+c.Arch+" "+c.Name+" "+c.Before.String()+" "+c.After.String())
	}
	return out
}

func BenchmarkCompile(b *testing.B) {
	ctx := Context{Engine: "docker", Capabilities: EngineCapabilities("docker"), Runtime: Runc}
	one, other := DockerDefault(), podmanLike()
	b.Run("compile", func(b *testing.B) {
		for b.Loop() {
			Compile(one, ctx)
			Compile(other, ctx)
		}
	})
	before, err := Compile(one, ctx)
	if err != nil {
		b.Fatal(err)
	}
	after, _ := Compile(other, ctx)
	b.Run("changes", func(b *testing.B) {
		for b.Loop() {
			if _, err := CompiledChanges(before, after, ctx); err != nil {
				b.Fatal(err)
			}
		}
	})
}
