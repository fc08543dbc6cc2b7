package main

import (
	"errors"
	"fmt"
	"strings"

	"advisor/policies/seccomp"
	"advisor/report"
)

// formatOut says how a profile is written down.
type formatOut struct {
	Format string `enum:"oci,docker,podman,spo,spo-v1beta1" default:"oci" help:"oci, docker, podman, spo or spo-v1beta1."`
	Name   string `placeholder:"NAME" help:"The name of a SeccompProfile object, as name or namespace/name."`
}

// text is the profile in the format asked for. What only an engine can decide
// is decided for the settings where the format has no words for it.
func (f formatOut) text(s streams, p seccomp.Profile, ctx seccomp.Context) ([]byte, error) {
	format := seccomp.Format(f.Format)
	object := format == seccomp.SPO || format == seccomp.SPOBeta
	if depends := p.Format == seccomp.Docker || p.Format == seccomp.Podman; depends && format != seccomp.Docker &&
		format != p.Format || p.Base == "" && object {
		plain, err := seccomp.Resolve(p, ctx)
		if err != nil {
			return nil, err
		}
		if depends {
			s.say("resolved for %v; under other capabilities, or another host, the profile may be another", ctx)
		}
		plain.Name, plain.Namespace, p = p.Name, p.Namespace, plain
	}
	if object && p.DefaultErrno != nil {
		s.say("%s has no defaultErrnoRet: calls are refused by name instead, and numbers without a name get EPERM", format)
		p = seccomp.WithoutDefaultErrno(p)
	}
	if f.Name != "" {
		namespace, name, ok := strings.Cut(f.Name, "/")
		if !ok {
			namespace, name = "", f.Name
		}
		p.Name, p.Namespace = name, namespace
	}
	if object && p.Name == "" {
		return nil, hint(fmt.Errorf("a SeccompProfile needs a name"), "--name NAME, or NAMESPACE/NAME")
	}
	if !object {
		p.Name, p.Namespace = "", ""
	}
	return p.Render(format)
}

type seccompMergeCmd struct {
	output
	settings
	formatOut
	Profiles []string `arg:"" help:"Profiles: files, '-' for stdin, or docker-default."`
}

// Run merges the profiles and prints the result, which is compared with each of
// them before.
func (c *seccompMergeCmd) Run(s streams) error {
	ctx, err := c.context()
	if err := errors.Join(err, c.check(), c.spares(c.Profiles), oneStdin(c.Profiles...)); err != nil {
		return err
	}
	var list []seccomp.Profile
	for _, name := range c.Profiles {
		p, err := loadProfile(s.in, name)
		if err != nil {
			return err
		}
		list = append(list, p)
	}
	merged, err := seccomp.Merge(ctx, list[0], list[1:]...)
	if err != nil {
		return err
	}
	text, err := c.text(s, merged, ctx)
	if err != nil {
		return err
	}
	if err := c.write(s, []document{{name: "merged", body: text}}); err != nil {
		return err
	}
	for i, p := range list {
		changes, err := seccomp.Compare(p, merged, ctx)
		if err != nil {
			return err
		}
		count := 0
		for _, change := range changes {
			if change.Kind == seccomp.Permitted {
				count++
			}
		}
		s.say("against %s: none refused, newly permitted: %d (under %v)", c.Profiles[i], count, ctx)
	}
	return nil
}

type seccompConvertCmd struct {
	output
	profile
	formatOut
}

// Run writes the profile in another format, and reads it again to see that it
// does the same.
func (c *seccompConvertCmd) Run(s streams) error {
	if err := errors.Join(c.check(), c.spares([]string{c.Profile})); err != nil {
		return err
	}
	p, ctx, err := c.load(s)
	if err != nil {
		return err
	}
	text, err := c.text(s, p, ctx)
	if err != nil {
		return err
	}
	back, errs := seccomp.Parse(c.Profile+" as "+c.Format, text)
	if err := errors.Join(errs...); err != nil {
		return err
	}
	changes, err := report.CompareProfiles(c.Profile, c.Format, p, back, ctx)
	if err != nil {
		return err
	}
	for i, change := range changes.Changes {
		if change.Kind == seccomp.Permitted || change.Kind == seccomp.Refused {
			return fmt.Errorf("%s cannot say what %s says: %v", c.Format, c.Profile, change)
		}
		if i == 0 {
			s.say("calls that get another answer as %s: %d, such as %v", c.Format, len(changes.Changes), change)
		}
	}
	return c.write(s, []document{{name: "profile", body: text}})
}
