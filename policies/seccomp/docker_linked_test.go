//go:build libseccomp

package seccomp

import (
	"slices"
	"testing"

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
