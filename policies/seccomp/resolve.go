package seccomp

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// resolved is a profile after the engine: no conditions on whole rules, and
// plain architectures.
type resolved struct {
	rules  []int  // indexes into the profile's Rules that count
	listed []Arch // as the runtime gets them; empty where the profile lists none
	archs  []abi  // in force: native first, then those listed that are known here
}

var errArchTwice = errors.New("both architectures and archMap are given; the engine refuses that")

// resolve applies what the engine does with a profile before the runtime gets it.
func (p Profile) resolve(ctx Context) (resolved, error) {
	var r resolved
	native := onHost(ctx.host())
	if len(native) == 0 {
		return r, fmt.Errorf("host architecture %q: not known", ctx.host())
	}
	if len(p.Architectures) > 0 && len(p.ArchMap) > 0 {
		return r, errArchTwice
	}
	r.listed = p.architectures(native[0].token)
	r.archs = native[:1]
	for _, token := range r.listed {
		if a, ok := abiOf(token); ok && !slices.Contains(r.archs, a) {
			r.archs = append(r.archs, a)
		}
	}
	for i, rule := range p.Rules {
		if rule.counts(ctx, native[0]) {
			r.rules = append(r.rules, i)
		}
	}
	return r, nil
}

// architectures expands archMap for the host and NATIVE, without repetitions.
func (p Profile) architectures(native Arch) []Arch {
	list := slices.Clone(p.Architectures)
	for _, m := range p.ArchMap {
		if m.Arch == native {
			list = append(append(list, m.Arch), m.Sub...)
		}
	}
	var out []Arch
	for _, a := range list {
		if a == Native {
			a = native
		}
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// counts tells whether the engine keeps the rule: every capability of includes
// and one of its architectures must be there, and nothing of excludes.
func (r Rule) counts(ctx Context, native abi) bool {
	minKernel := ctx.Engine != "podman" && ctx.Engine != "cri-o"
	ex, in := r.Excludes, r.Includes
	if slices.ContainsFunc(ex.Caps, ctx.hasCap) || slices.Contains(ex.Arches, native.short) {
		return false
	}
	if minKernel && ex.MinKernel != "" && atLeast(ctx.Kernel, ex.MinKernel) {
		return false
	}
	for _, c := range in.Caps {
		if !ctx.hasCap(c) {
			return false
		}
	}
	if len(in.Arches) > 0 && !slices.Contains(in.Arches, native.short) {
		return false
	}
	return !minKernel || in.MinKernel == "" || atLeast(ctx.Kernel, in.MinKernel)
}

// alternatives splits the conditions of an entry as the runtimes do: all must
// hold, except that an entry which tests one argument twice becomes one
// alternative for each condition (runc libcontainer/seccomp, matchCall). crun
// reads six conditions of an entry and leaves out the others.
func (r Rule) alternatives(ctx Context) [][]Arg {
	given := r.Args
	if ctx.Runtime == Crun {
		given = given[:min(len(given), 6)]
	}
	seen := map[uint]bool{}
	for _, a := range given {
		if seen[a.Index] {
			return singles(given)
		}
		seen[a.Index] = true
	}
	args := effective(given)
	slices.SortFunc(args, func(a, b Arg) int { return cmp.Compare(a.Index, b.Index) })
	return [][]Arg{args}
}

func singles(args []Arg) [][]Arg {
	var list [][]Arg
	for _, a := range args {
		list = append(list, effective([]Arg{a}))
	}
	return list
}

// effective are the conditions in libseccomp's one form of each, without those
// that always hold, which it drops.
func effective(args []Arg) []Arg {
	var list []Arg
	for _, a := range args {
		if a = a.normal(); a.Op != MaskedEqual || a.Value != 0 {
			list = append(list, a)
		}
	}
	return list
}

// normal is the comparison without what libseccomp does not look at: wanted
// bits outside the mask, and a second value where there is no mask.
func (a Arg) normal() Arg {
	if a.Op == MaskedEqual {
		a.ValueTwo &= a.Value
		return a
	}
	a.ValueTwo = 0
	return a
}
