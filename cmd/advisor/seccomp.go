package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"advisor/policies/seccomp"
	"advisor/report"
)

// seccompCmd asks what seccomp profiles mean, and makes one of others.
type seccompCmd struct {
	Allowed seccompAllowedCmd `cmd:"" help:"List the calls that a profile lets pass."`
	Explain seccompExplainCmd `cmd:"" help:"Say what becomes of one call, and by which rule."`
	Lint    seccompLintCmd    `cmd:"" help:"Find what is wrong with profiles by themselves."`
	Compare seccompCompareCmd `cmd:"" help:"Compare two profiles call by call, with all arguments."`
	Merge   seccompMergeCmd   `cmd:"" help:"Make one profile that lets pass what any of several does."`
	Convert seccompConvertCmd `cmd:"" help:"Write a profile in another format."`
}

// settings are what the meaning of a profile depends on besides its text.
type settings struct {
	Engine       string   `enum:"docker,podman,containerd,cri-o,none" default:"docker" help:"The engine that reads the profile: docker, podman, containerd, cri-o or none."`
	Capabilities []string `placeholder:"NAME" help:"The container's bounding set; default: the engine's own."`
	Runtime      string   `default:"runc" placeholder:"NAME" offer:"runc crun none" help:"The runtime that loads it: runc, crun, \"runc 1.1.5\" or none."`
	HostArch     string   `enum:"x86_64,aarch64" default:"x86_64" help:"The host's architecture: x86_64 or aarch64."`
	Kernel       string   `placeholder:"VERSION" help:"The host's kernel, for rules with minKernel; default: newer than any."`
}

func (c settings) context() (seccomp.Context, error) {
	ctx := seccomp.Context{Arch: c.HostArch, Kernel: c.Kernel, Capabilities: c.Capabilities}
	if c.Engine != "none" {
		ctx.Engine = c.Engine
	}
	if len(c.Capabilities) == 0 {
		ctx.Capabilities = seccomp.EngineCapabilities(ctx.Engine)
	}
	family, version, _ := strings.Cut(c.Runtime, " ")
	switch family {
	case seccomp.Runc, seccomp.Crun:
		ctx.Runtime, ctx.RuntimeVersion = family, version
	case "none":
	default:
		return ctx, fmt.Errorf("--runtime %q: not one of runc, crun, none", c.Runtime)
	}
	return ctx, nil
}

// profile is the one that a command is about.
type profile struct {
	settings
	Profile string `arg:"" help:"A profile: a file, '-' for stdin, or docker-default."`
}

func (c profile) load(s streams) (seccomp.Profile, seccomp.Context, error) {
	ctx, err := c.context()
	if err != nil {
		return seccomp.Profile{}, ctx, err
	}
	p, _, err := report.LoadProfile(c.Profile, s.in)
	return p, ctx, err
}

// encoded is a value as indented JSON.
func encoded(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}

type seccompAllowedCmd struct {
	output
	profile
	Format string `enum:"text,json" default:"text" help:"text or json."`
}

// Run lists the calls, a line each.
func (c *seccompAllowedCmd) Run(s streams) error {
	if err := c.check(); err != nil {
		return err
	}
	p, ctx, err := c.load(s)
	if err != nil {
		return err
	}
	list, err := seccomp.Allowed(p, ctx)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	for _, call := range list {
		fmt.Fprintln(&b, call)
	}
	body := b.Bytes()
	if c.Format == "json" {
		if body, err = encoded(append([]seccomp.AllowedCall{}, list...)); err != nil {
			return err
		}
	}
	return c.write(s, []document{{name: "allowed." + c.Format, body: body}})
}

type seccompExplainCmd struct {
	profile
	Format string   `enum:"text,json" default:"text" help:"text or json."`
	Call   string   `arg:"" help:"A call by name or number, with its architecture where it is not the host's: i386/socket."`
	Args   []string `arg:"" optional:"" help:"Its first arguments, in decimal or 0x; what is not given may be anything."`
}

// Run explains what becomes of the call. It ends with 0 where it is made
// whatever the open arguments are, else with 1.
func (c *seccompExplainCmd) Run(s streams) error {
	p, ctx, err := c.load(s)
	if err != nil {
		return err
	}
	call, err := seccomp.ParseCall(c.HostArch, c.Call, c.Args)
	if err != nil {
		return err
	}
	e, err := seccomp.Explain(p, ctx, call)
	if err != nil {
		return err
	}
	text := []byte(e.String())
	if c.Format == "json" {
		if text, err = encoded(e); err != nil {
			return err
		}
	}
	if _, err := s.out.Write(text); err != nil {
		return err
	}
	if !e.Made() {
		return exitCode(exitDrift)
	}
	return nil
}

type seccompLintCmd struct {
	output
	rendering
	verdict
	profile
}

// Run prints what is wrong with the profile.
func (c *seccompLintCmd) Run(s streams) error {
	classes, err := c.classes()
	if err := errors.Join(err, c.check(), c.checkAlso()); err != nil {
		return err
	}
	p, ctx, err := c.load(s)
	if err != nil {
		return err
	}
	r := report.LintProfile(c.Profile, p, ctx)
	r.Advisor = version()
	if err := c.render(s, r, c.output); err != nil {
		return err
	}
	if r.Selected(classes) {
		return exitCode(exitDrift)
	}
	return nil
}

type seccompCompareCmd struct {
	output
	settings
	Format string `enum:"text,json" default:"text" help:"text or json."`
	FailOn string `enum:"any,permitted,never" default:"any" help:"What ends with 1: any change, a call newly permitted, or never."`
	Old    string `arg:"" help:"The profile before: a file, '-' for stdin, or docker-default."`
	New    string `arg:"" help:"The profile after."`
}

// Run prints every call that the two treat differently. It ends with 0 where
// there is none.
func (c *seccompCompareCmd) Run(s streams) error {
	ctx, err := c.context()
	if err := errors.Join(err, c.check(), oneStdin(c.Old, c.New)); err != nil {
		return err
	}
	before, err := loadProfile(s.in, c.Old)
	if err != nil {
		return err
	}
	after, err := loadProfile(s.in, c.New)
	if err != nil {
		return err
	}
	found, err := report.CompareProfiles(c.Old, c.New, before, after, ctx)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := found.Text(&b); err != nil {
		return err
	}
	body := b.Bytes()
	if c.Format == "json" {
		if body, err = encoded(found); err != nil {
			return err
		}
	}
	if err := c.write(s, []document{{name: "changes." + c.Format, body: body}}); err != nil {
		return err
	}
	if c.FailOn == "any" && len(found.Changes)+len(found.Doubts) > 0 || c.FailOn == "permitted" && found.Permits() {
		return exitCode(exitDrift)
	}
	return nil
}

func loadProfile(in io.Reader, name string) (seccomp.Profile, error) {
	p, _, err := report.LoadProfile(name, in)
	return p, err
}

// oneStdin says that stdin can be read once.
func oneStdin(names ...string) error {
	count := 0
	for _, name := range names {
		if name == "-" {
			count++
		}
	}
	if count > 1 {
		return errors.New("only one profile can come from stdin")
	}
	return nil
}
