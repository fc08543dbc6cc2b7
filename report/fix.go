package report

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/aymanbagabas/go-udiff"

	"advisor/policies"
	"advisor/policies/caps"
	"advisor/policies/manifest"
)

// Fix is a file of the manifests as it is and as it should be.
type Fix struct {
	File          string
	Before, After []byte
}

// Patch is the fix as a unified diff.
func (f Fix) Patch() string {
	return udiff.Unified("a/"+f.File, "b/"+f.File, string(f.Before), string(f.After))
}

// Fixes are the changes to files that were read, after which the findings of r
// about capabilities, seccomp profiles and network policies are gone: each is
// held against the observation again. What has no place of its own, or cannot be edited where it
// stands, is a problem. Sorted by file.
func Fixes(r *Report, seen Observed, m Manifests, c Comparison) ([]Fix, []Problem) {
	f := fixer{texts: make(map[string][]byte), m: m, c: c}
	pairs := pair(seen.Observations, m.Declared)
	var edits []edit
	for _, p := range pairs {
		if p.both() && r.found(p.workload(), "caps/") {
			edits = append(edits, edit{p.declared.Position.Line, func() { f.fixCaps(p) }})
		}
	}
	for _, s := range sharedProfiles(pairs, m) {
		if slices.ContainsFunc(s.users, func(p pairing) bool {
			return p.both() && r.found(p.workload(), "seccomp/missing", "seccomp/excess")
		}) {
			edits = append(edits, edit{s.profile.Position.Line, func() { f.fixProfile(s) }})
		}
	}
	// From the last line to the first, so that the places of the others hold.
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Compare(b.line, a.line) })
	for _, e := range edits {
		e.make()
	}
	if slices.Contains(c.Kinds, KindNetpol) {
		f.fixNetpol(r, seen)
	}
	return f.fixes(), f.problems
}

// edit is a change at a line of some file.
type edit struct {
	line int
	make func()
}

// found says that there is a finding about a workload under a rule that begins
// so, and that something can be done about.
func (r *Report) found(w policies.Workload, rules ...string) bool {
	return slices.ContainsFunc(r.Findings, func(f policies.Finding) bool {
		return f.Workload == w && f.Class != policies.Unknown && slices.ContainsFunc(rules, func(rule string) bool {
			return len(f.Rule) >= len(rule) && f.Rule[:len(rule)] == rule
		})
	})
}

// fixer gathers the changed texts.
type fixer struct {
	m        Manifests
	c        Comparison
	texts    map[string][]byte
	problems []Problem
}

func (f *fixer) text(file string) []byte {
	if text, ok := f.texts[file]; ok {
		return text
	}
	return f.m.texts[file]
}

func (f *fixer) fail(at policies.Position, err error) {
	f.problems = append(f.problems, Problem{at, err.Error()})
}

// fixCaps edits a container's security context.
func (f *fixer) fixCaps(p pairing) {
	d := *p.declared
	s, err := caps.Synthesize(*p.observed, caps.Options{Engine: or(f.c.Engine, d.Engine)})
	if err != nil {
		f.fail(d.Position, err)
		return
	}
	caps.FitRoot(&s, *p.observed, d)
	// A profile that is declared is a matter of seccomp.
	s.Security.SeccompType, s.Security.SeccompProfile = "", ""
	s.Workload = d.Workload
	object, ok := f.m.objectAt(d.Position)
	if !ok {
		f.fail(d.Position, errors.New("is not fixed: it is no manifest"))
		return
	}
	text, err := caps.Edit(f.text(object.File), object, s)
	if err == nil {
		err = f.recheck(object.File, text, p)
	}
	if err != nil {
		f.fail(d.Position, fmt.Errorf("%s is not fixed: %w", p.workload(), err))
		return
	}
	f.texts[object.File] = text
	if d.Privileged != nil && *d.Privileged {
		f.fail(d.Position, fmt.Errorf("%s is no longer privileged: what that gave beside capabilities (devices, all of "+
			"/proc and /sys, no seccomp and AppArmor) was not recorded, so try it before it is relied on", p.workload()))
	}
}

// objectAt is the object that a position is in.
func (m Manifests) objectAt(at policies.Position) (manifest.Object, bool) {
	var found manifest.Object
	ok := false
	for _, o := range m.Objects {
		start := o.Position()
		if start.File == at.File && start.Line <= at.Line && (!ok || start.Line >= found.Position().Line) {
			found, ok = o, true
		}
	}
	return found, ok
}

// recheck reads the changed text again and holds it against the observation, and
// everything else in it against what it was.
func (f *fixer) recheck(file string, text []byte, p pairing) error {
	before, _, were := f.declaredIn(file, f.text(file))
	objects, declared, errs := f.declaredIn(file, text)
	if len(errs) <= len(were) {
		errs = nil // what was wrong before is a finding of its own
	}
	errs = append(errs, manifest.Changed(before, objects, p.mayChange))
	at := slices.IndexFunc(declared, func(d caps.Declared) bool { return d.Workload == p.declared.Workload })
	if at < 0 {
		return errors.Join(append(errs, errors.New("the result has no such container"))...)
	}
	for _, finding := range caps.Check(declared[at], *p.observed, f.c.Engine) {
		if finding.Class == policies.Missing || finding.Class == policies.Invalid {
			errs = append(errs, fmt.Errorf("%s would still be %s", finding.Subject, finding.Class))
		}
	}
	return errors.Join(errs...)
}

// declaredIn is what a text declares, and what is wrong with it.
func (f *fixer) declaredIn(file string, text []byte) ([]manifest.Object, []caps.Declared, []error) {
	objects, errs := f.m.objects(file, text)
	var declared []caps.Declared
	for _, o := range objects {
		found, bad := caps.ParseAmong(o, f.m.Objects)
		declared, errs = append(declared, found...), append(errs, bad...)
	}
	return objects, declared, errs
}

// mayChange says that a value of a manifest is one that editing the container's
// capabilities changes: nothing else that is said of it, and of nobody else.
func (p pairing) mayChange(o manifest.Object, path []any, was any) bool {
	w := p.declared.Workload
	if o.Kind == "" {
		return len(path) > 2 && path[0] == "services" && path[1] == w.Name && slices.Contains([]any{
			"cap_add", "cap_drop", "privileged", "read_only", "security_opt", "tmpfs",
		}, path[2])
	}
	at := slices.Index(path, any("securityContext"))
	if at < 1 || o.Kind != w.Kind || o.Name != w.Name || o.Namespace != w.Namespace {
		return false
	}
	name := o.Lookup(append(slices.Clone(path[:at]), "name")...)
	if name == nil || name.Value != w.Container {
		return false
	}
	return was == nil || len(path) > at+1 && slices.Contains([]any{
		"allowPrivilegeEscalation", "capabilities", "privileged", "readOnlyRootFilesystem",
	}, path[at+1])
}

func (f *fixer) fixes() []Fix {
	var list []Fix
	for file, text := range f.texts {
		if before := f.m.texts[file]; string(before) != string(text) {
			list = append(list, Fix{file, before, text})
		}
	}
	slices.SortFunc(list, func(a, b Fix) int { return cmp.Compare(a.File, b.File) })
	return list
}
