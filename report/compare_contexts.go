package report

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"advisor/policies/seccomp"
)

// surroundings is a context in which profiles may differ that are equal in others.
type surroundings struct {
	seccomp.Context
	words string // "" for the first, which is the one to begin with
}

// surroundingsOf are the contexts that tell two profiles apart: the given one, then
// what runtimes add of their own and, as far as the profiles speak of them, other
// machines, kernels and, where it is not known what a container holds, capabilities.
func surroundingsOf(ctx seccomp.Context, a, b seccomp.Profile) []surroundings {
	list := []surroundings{{ctx, ""}}
	with := func(words string, change func(*seccomp.Context)) {
		other := ctx
		change(&other)
		list = append(list, surroundings{other, words})
	}
	if ctx.Runtime == "" {
		with("under runc", func(c *seccomp.Context) { c.Runtime = seccomp.Runc })
	}
	if ctx.Arch == "" && (speaksOfArm(a) || speaksOfArm(b)) {
		with("on aarch64", func(c *seccomp.Context) { c.Arch = "aarch64" })
	}
	capabilities, kernels := conditionsOf(a, b)
	if ctx.Engine == "" {
		for _, name := range capabilities {
			with("with "+name, func(c *seccomp.Context) { c.Capabilities = []string{name} })
		}
		if len(capabilities) > 1 {
			with("with all capabilities", func(c *seccomp.Context) { c.Capabilities = []string{"ALL"} })
		}
	}
	for _, version := range kernels {
		with("on Linux "+version, func(c *seccomp.Context) { c.Kernel = version })
	}
	if len(kernels) > 0 {
		with("on Linux before "+kernels[0], func(c *seccomp.Context) { c.Kernel = "0.1" })
	}
	return list
}

// conditionsOf are the capabilities and the kernels that rules hang on, sorted.
func conditionsOf(list ...seccomp.Profile) (capabilities, kernels []string) {
	for _, p := range list {
		for _, r := range p.Rules {
			for _, f := range []seccomp.Filter{r.Includes, r.Excludes} {
				capabilities = append(capabilities, f.Caps...)
				if f.MinKernel != "" {
					kernels = append(kernels, f.MinKernel)
				}
			}
		}
	}
	slices.Sort(capabilities)
	slices.Sort(kernels)
	return slices.Compact(capabilities), slices.Compact(kernels)
}

func speaksOfArm(p seccomp.Profile) bool {
	arm := func(a seccomp.Arch) bool { return a == seccomp.AArch64 || a == seccomp.Arm }
	return slices.ContainsFunc(p.Architectures, arm) ||
		slices.ContainsFunc(p.ArchMap, func(m seccomp.ArchMap) bool { return arm(m.Arch) }) ||
		slices.ContainsFunc(p.Rules, func(r seccomp.Rule) bool {
			words := append(slices.Clone(r.Includes.Arches), r.Excludes.Arches...)
			return slices.ContainsFunc(words, func(word string) bool { return strings.HasPrefix(word, "arm") })
		})
}

// changesAnywhere compares two profiles in all surroundings that may tell them apart.
// A change that one has shown is not told again of the others.
func changesAnywhere(old, now seccomp.Profile, ctx seccomp.Context) ([]surroundedChange, error) {
	var list []surroundedChange
	told := make(map[string]bool)
	for _, s := range surroundingsOf(ctx, old, now) {
		changes, err := seccomp.Compare(old, now, s.Context)
		if err != nil && s.words == "" {
			return nil, err
		}
		for _, c := range changes { // none where a runtime refuses a profile, which is told elsewhere
			key := fmt.Sprint(ofArch(c.Name, c.Arch), c.When, c.Kind)
			if s.words == "" || !told[key] {
				list = append(list, surroundedChange{c, s.words})
			}
			told[key] = true
		}
	}
	return fewer(list), nil
}

// sameText says that two profiles are written alike, which most of two directories are.
func sameText(a, b seccomp.Profile) bool {
	was, err := a.Render(a.Format)
	is, worse := b.Render(b.Format)
	return err == nil && worse == nil && bytes.Equal(was, is)
}

// manyCalls is how many calls that are refused in another way, somewhere only, are
// told one by one: where runc's stub begins moves with the highest call named.
const manyCalls = 8

// fewer puts such calls together.
func fewer(list []surroundedChange) []surroundedChange {
	type alike struct{ before, after, where, arch string }
	of := func(c surroundedChange) alike {
		return alike{c.Before.String(), c.After.String(), c.where, ofArch("", c.Arch)}
	}
	names := make(map[alike][]string)
	for _, c := range list {
		if c.inWords() {
			names[of(c)] = append(names[of(c)], ofArch(c.Name, c.Arch))
		}
	}
	var out []surroundedChange
	told := make(map[alike]bool)
	for _, c := range list {
		same := names[of(c)]
		if !c.inWords() || len(same) <= manyCalls {
			out = append(out, c)
			continue
		}
		if !told[of(c)] {
			told[of(c)] = true
			if at := slices.Index(same, "clone3"); at > 0 { // where it gets EPERM no program starts a thread
				same[0], same[at] = same[at], same[0]
			}
			c.Name, c.Arch, c.When = fmt.Sprintf("%d calls", len(same)), "", ""
			c.where += ", among them " + strings.Join(same[:3], ", ")
			out = append(out, c)
		}
	}
	return out
}

// surroundedChange is a change, and where it is one; "" for everywhere.
type surroundedChange struct {
	seccomp.Change
	where string
}

// inWords says that the change may be told together with others.
func (c surroundedChange) inWords() bool {
	return c.where != "" && (c.Kind == seccomp.ErrnoOnly || c.Kind == seccomp.ActionOnly)
}
