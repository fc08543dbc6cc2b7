package report

import (
	"errors"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"advisor/policies"
	"advisor/policies/manifest"
	"advisor/policies/seccomp"
)

// sharedProfile is a profile with all the containers that run under it.
type sharedProfile struct {
	profile *seccomp.Profile
	users   []pairing
}

// sharedProfiles are the profiles that manifests name, in the order of the
// containers that do.
func sharedProfiles(pairs []pairing, m Manifests) []sharedProfile {
	var list []sharedProfile
	for _, p := range pairs {
		if p.declared == nil || p.declared.SeccompType != "Localhost" {
			continue
		}
		profile := m.profile(*p.declared)
		if profile == nil {
			continue
		}
		at := slices.IndexFunc(list, func(s sharedProfile) bool { return s.profile == profile })
		if at < 0 {
			at = len(list)
			list = append(list, sharedProfile{profile: profile})
		}
		list[at].users = append(list[at].users, p)
	}
	return list
}

// together is what the containers under a profile did, as one observation of
// the first: a profile of it lets each of them do what it did.
func (s sharedProfile) together() (policies.Observation, error) {
	var all policies.Observation
	for i, p := range s.users {
		if p.observed == nil {
			return all, fmt.Errorf("%s runs under it too and was not recorded", p.workload())
		}
		if i == 0 {
			all = *p.observed
			all.Containers, all.Syscalls = slices.Clone(all.Containers), slices.Clone(all.Syscalls)
			all.Denied = slices.Clone(all.Denied)
			continue
		}
		all.Containers = append(all.Containers, p.observed.Containers...)
		all.Syscalls = append(all.Syscalls, p.observed.Syscalls...)
		all.Denied = append(all.Denied, p.observed.Denied...)
		all.Evidence = joinEvidence(all.Evidence, p.observed.Evidence)
	}
	return all, nil
}

// fixProfile writes a profile anew, in the form that it has, for all containers
// that run under it. One that not all of them were recorded for is left alone:
// it would take out what the others need.
func (f *fixer) fixProfile(s sharedProfile) {
	text, err := f.rewritten(s)
	if err == nil {
		err = s.recheck(text, f.c.Engine)
	}
	if err != nil {
		f.fail(s.profile.Position, fmt.Errorf("is not fixed: %w", err))
		return
	}
	f.texts[s.profile.Position.File] = text
}

// rewritten is the text of the profile's file with the profile that fits.
func (f *fixer) rewritten(s sharedProfile) ([]byte, error) {
	if s.profile.Base != "" {
		return nil, fmt.Errorf("it rests on the profile %s: change one of them by hand", s.profile.Base)
	}
	format, err := FormatOf(KindSeccomp, string(s.profile.Format))
	if err != nil {
		return nil, err
	}
	all, err := s.together()
	if err != nil {
		return nil, err
	}
	made, err := Seccomp(all, seccomp.Options{
		Context: seccomp.Context{Capabilities: bounding(*s.users[0].declared, f.c.Engine)},
	}, format)
	if err != nil {
		return nil, err
	}
	if s.profile.Name == "" {
		return []byte(made.Text), nil
	}
	object, ok := f.m.objectAt(s.profile.Position)
	if !ok {
		return nil, errors.New("it is no object of a file")
	}
	var fresh struct{ Spec yaml.Node }
	if err := yaml.Unmarshal([]byte(made.Text), &fresh); err != nil {
		return nil, err
	}
	editor := manifest.NewEditor(f.text(object.File))
	if err := editor.Set(object.Node(), "spec", &fresh.Spec); err != nil {
		return nil, err
	}
	return editor.Bytes(), nil
}

// recheck reads the changed text again and holds it against what each of the
// containers did.
func (s sharedProfile) recheck(text []byte, engine string) error {
	profile, err := s.reread(text)
	if err != nil {
		return err
	}
	for _, p := range s.users {
		for _, finding := range seccomp.Check(profile, seccompContext(p, engine), *p.observed) {
			if finding.Class == policies.Missing || finding.Class == policies.Invalid {
				return fmt.Errorf("%s would still be %s for %s", finding.Subject, finding.Class, p.workload())
			}
		}
	}
	return nil
}

// reread finds the profile in the changed text of its file.
func (s sharedProfile) reread(text []byte) (seccomp.Profile, error) {
	file := s.profile.Position.File
	if s.profile.Name == "" {
		profile, errs := seccomp.Parse(file, text)
		return profile, errors.Join(errs...)
	}
	objects, errs := manifest.Read(file, text)
	for _, o := range objects {
		if seccomp.IsProfile(o) && o.Name == s.profile.Name && (o.Namespace == s.profile.Namespace || o.Namespace == "") {
			profile, bad := seccomp.ParseObject(o)
			return profile, errors.Join(append(errs, bad...)...)
		}
	}
	return seccomp.Profile{}, errors.Join(append(errs, fmt.Errorf("%s is not in %s any more", s.profile.Name, file))...)
}
