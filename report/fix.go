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
	"advisor/policies/seccomp"
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
	// From the last line to the first, so that the places of the others hold.
	slices.SortStableFunc(pairs, func(a, b pairing) int { return -cmp.Compare(a.line(), b.line()) })
	for _, p := range pairs {
		if !p.both() {
			continue
		}
		if r.found(p.workload(), "caps/") {
			f.fixCaps(p)
		}
		if r.found(p.workload(), "seccomp/missing", "seccomp/excess") {
			f.fixProfile(p, pairs)
		}
	}
	if slices.Contains(c.Kinds, KindNetpol) {
		f.fixNetpol(r, seen)
	}
	return f.fixes(), f.problems
}

func (p pairing) line() int {
	if p.declared == nil {
		return 0
	}
	return p.declared.Position.Line
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
		err = recheck(object.File, text, p, f.c.Engine)
	}
	if err != nil {
		f.fail(d.Position, fmt.Errorf("%s is not fixed: %w", p.workload(), err))
		return
	}
	f.texts[object.File] = text
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

// recheck reads the changed text again and holds it against the observation.
func recheck(file string, text []byte, p pairing, engine string) error {
	objects, errs := manifest.Read(file, text)
	for _, o := range objects {
		declared, bad := caps.Parse(o)
		errs = append(errs, bad...)
		for _, d := range declared {
			if d.Workload != p.declared.Workload {
				continue
			}
			for _, finding := range caps.Check(d, *p.observed, engine) {
				if finding.Class == policies.Missing || finding.Class == policies.Invalid {
					errs = append(errs, fmt.Errorf("%s would still be %s", finding.Subject, finding.Class))
				}
			}
		}
	}
	return errors.Join(errs...)
}

// fixProfile writes the profile that a container names anew, in the form that
// it has. One that several containers share is left alone: each would take out
// what the others need.
func (f *fixer) fixProfile(p pairing, pairs []pairing) {
	profile := f.m.profile(p.declared.SeccompProfile)
	if profile == nil || p.declared.SeccompType != "Localhost" {
		return
	}
	for _, other := range pairs {
		if other.declared != nil && other.declared != p.declared &&
			other.declared.SeccompProfile == p.declared.SeccompProfile {
			f.fail(profile.Position, fmt.Errorf("is not fixed: %s and %s share it", p.workload(), other.workload()))
			return
		}
	}
	format, err := FormatOf(KindSeccomp, string(profile.Format))
	if err != nil || profile.Name != "" {
		f.fail(profile.Position, errors.New("is not fixed: only profiles in JSON are written anew"))
		return
	}
	made, err := Seccomp(*p.observed, seccomp.Options{
		Context: seccomp.Context{Capabilities: bounding(*p.declared, f.c.Engine)},
	}, format)
	if err != nil {
		f.fail(profile.Position, err)
		return
	}
	f.texts[profile.Position.File] = []byte(made.Text)
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
