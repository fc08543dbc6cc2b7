package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"advisor/monitor"
	"advisor/policies"
	"advisor/policies/caps"
	"advisor/policies/seccomp"
	"advisor/report"
	"advisor/trace"
	"advisor/verify"
)

// Run records the workload where no list is given, and verifies the list.
func (c *verifyCmd) Run(ctx context.Context, s streams) error {
	args, err := c.workload()
	if err != nil {
		return err
	}
	o, err := c.options(s, args)
	if err := errors.Join(err, c.check(), c.spareOutput()); err != nil {
		return err
	}
	result := c.subject(o)
	var made caps.Synthesis
	if len(c.Capabilities) == 0 {
		dir, err := os.MkdirTemp("", "advisor-verify-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		seen, err := c.record(ctx, s, o, filepath.Join(dir, "trace.log"))
		if err != nil {
			return c.explain(err)
		}
		if made, err = c.underPolicies(s, &o, seen, dir); err != nil {
			return err
		}
		result.Inferred = inferences(made)
		result.observed(seen)
	}
	o.Restrictions = c.restrictions(o, made.Root)
	s.say("verifying %s", orNothing(o.Capabilities))
	found, err := verify.Run(ctx, o)
	if err != nil {
		return c.explain(err)
	}
	result.found(o, found)
	return c.print(s, result.Verified)
}

// spareOutput looks for a file in the way before minutes are spent.
func (c *verifyCmd) spareOutput() error {
	if c.toStdout() || c.isDir() {
		return nil
	}
	return c.refuseExisting([]string{c.Output})
}

// orNothing names what is verified.
func orNothing(names []string) string {
	if len(names) == 0 {
		return "that no capability is needed"
	}
	return strings.Join(names, ", ")
}

func (c *verifyCmd) options(s streams, args []string) (verify.Options, error) {
	o := verify.Options{
		Capabilities: c.Capabilities, Probe: c.Probe, Within: c.Within,
		Tried: func(a verify.Attempt) { s.say("%s", attemptText(a)) },
	}
	if c.Verbose {
		o.Output = s.err
	}
	if c.Docker {
		o.Docker = args
	} else {
		o.Command = args
	}
	if c.Docker && c.User != "" {
		return o, hint(errors.New("--user is for a command"), "a container's user is among its arguments, behind '--'")
	}
	u, err := monitor.ParseUser(c.User)
	o.User = u.String()
	return o, err
}

// restrictions are those worth trying beside the list. A root file system that
// was seen written to is read-only but for those directories.
func (c *verifyCmd) restrictions(o verify.Options, root caps.Root) []verify.Restriction {
	var list []verify.Restriction
	if !o.NoNewPrivileges {
		list = append(list, verify.Restriction{Name: verify.NoNewPrivileges})
	}
	if touched := root.Touched(); c.Docker && !slices.Contains(touched, "/") {
		list = append(list, verify.Restriction{Name: verify.ReadOnly, Tmpfs: touched})
	}
	return list
}

func attemptText(a verify.Attempt) string {
	text := "with all"
	switch {
	case a.Under != "":
		text = "under " + a.Under
	case len(a.Without) > 0:
		text = "without " + strings.Join(a.Without, ", ")
	}
	if a.Passed {
		return text + ": passes"
	}
	return text + ": " + a.Reason
}

func (c *verifyCmd) explain(err error) error {
	switch {
	case errors.Is(err, verify.ErrFails) && len(c.Capabilities) == 0:
		return hint(err,
			"it passed while it was recorded: is it free to run again, and --within long enough?")
	case errors.Is(err, monitor.ErrPrivilege):
		return hint(err, "run as root; --capabilities names a list without recording")
	}
	return err
}

// inferences are what the recording says of each capability on the list.
func inferences(s caps.Synthesis) map[string]caps.Inferred {
	known := make(map[string]caps.Inferred)
	for _, f := range s.Facts {
		choice := f.Class == caps.Alternative && f.Allowed && known[f.Name].Class == ""
		if f.Class == caps.Needed || choice {
			known[f.Name] = caps.Inferred{Class: string(f.Class), Why: f.Evidence()}
		}
	}
	return known
}

// underPolicies makes the policies to run the workload under, and returns the
// one about capabilities.
func (c *verifyCmd) underPolicies(s streams, o *verify.Options, seen policies.Observation,
	dir string) (caps.Synthesis, error) {
	made, err := proven(seen)
	if err != nil {
		return made, err
	}
	o.Capabilities = made.Add
	closed := made.Security.AllowPrivilegeEscalation
	o.NoNewPrivileges = closed != nil && !*closed
	if c.Seccomp {
		err = c.filter(s, o, seen, dir)
	}
	return made, err
}

// filter makes the seccomp profile. A command takes it compiled, which takes
// libseccomp.
func (c *verifyCmd) filter(s streams, o *verify.Options, seen policies.Observation,
	dir string) error {
	opt := seccomp.Options{NoNewPrivileges: &o.NoNewPrivileges}
	made, err := seccomp.Synthesize(seen, opt)
	if err != nil {
		return err
	}
	text, err := made.Profile.Render(seccomp.Docker)
	if err != nil {
		return err
	}
	if p := report.ProveSeccomp(made, seen, opt, text); !p.OK() {
		return fmt.Errorf("the profile of %s does not hold: %s", seen.Workload,
			strings.Join(p.Failed, "; "))
	}
	if c.Docker {
		o.Seccomp = filepath.Join(dir, "seccomp.json")
		return os.WriteFile(o.Seccomp, text, 0o600)
	}
	here := seccomp.Context{Arch: auditArch(), Runtime: seccomp.Runc}
	binary, err := seccomp.Compile(made.Profile, here)
	if err != nil {
		s.say("without a seccomp profile: %v", err)
		return nil
	}
	o.Filter = binary.Program.Encode()
	return nil
}

// auditArch is the architecture of this machine, as the kernel's audit names it.
func auditArch() string {
	if runtime.GOARCH == "arm64" {
		return trace.ArchAarch64
	}
	return trace.ArchX8664
}

// record runs the workload as it is until it passes, and returns what was seen.
func (c *verifyCmd) record(ctx context.Context, s streams, o verify.Options, log string) (
	policies.Observation, error) {
	s.say("recording")
	mine, err := c.recordTo(ctx, log, o)
	if err != nil {
		return policies.Observation{}, fmt.Errorf("recording the workload: %w", err)
	}
	seen, err := report.Observe([]string{log}, nil)
	if err != nil {
		return policies.Observation{}, err
	}
	for _, found := range seen.Observations {
		if mine(found) {
			return found, nil
		}
	}
	return policies.Observation{}, errors.New("the workload is not in its recording")
}

func proven(o policies.Observation) (caps.Synthesis, error) {
	made, err := caps.Synthesize(o, caps.Options{})
	if err != nil {
		return made, err
	}
	if p := caps.Prove(made, o); !p.OK() {
		return made, fmt.Errorf("the list of %s does not hold: %s", o.Workload,
			strings.Join(p.Failed, "; "))
	}
	return made, nil
}

// recordTo records until the workload passes, and returns how to find it.
func (c *verifyCmd) recordTo(ctx context.Context, log string, o verify.Options) (
	func(policies.Observation) bool, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ready := make(chan struct{})
	u, err := monitor.ParseUser(o.User)
	if err != nil {
		return nil, err
	}
	opt := monitor.Options{
		Output: log, Outcomes: "on", Files: c.Docker, Version: version(),
		Command: o.Command, User: u, Ready: func(monitor.Status) { close(ready) },
	}
	if c.Verbose {
		opt.Stdout, opt.Stderr = os.Stderr, os.Stderr
	}
	var res monitor.Result
	done := make(chan error, 1)
	go func() {
		var err error
		res, err = monitor.Run(ctx, opt)
		done <- err
	}()
	select {
	case err := <-done:
		return nil, errors.Join(err, errors.New("it ended before it was ready"))
	case <-ready:
	}
	if c.Docker {
		return recordContainer(ctx, o, stop, done)
	}
	err = c.useCommand(ctx, o, stop, done)
	if err == nil && c.Probe == "" && res.ExitCode != 0 {
		err = fmt.Errorf("it ended with %d", res.ExitCode)
	}
	return func(found policies.Observation) bool {
		return found.Containers[0].Runtime == "command"
	}, err
}

// useCommand probes the command that is recorded, or waits for its end.
func (c *verifyCmd) useCommand(ctx context.Context, o verify.Options, stop func(),
	done <-chan error) error {
	if c.Probe == "" {
		return <-done
	}
	within, cancel := context.WithTimeout(ctx, c.Within)
	defer cancel()
	err := verify.Probe(within, c.Probe, nil, nil, o.Output)
	stop()
	return errors.Join(err, <-done)
}

func recordContainer(ctx context.Context, o verify.Options, stop func(), done <-chan error) (
	func(policies.Observation) bool, error) {
	within, cancel := context.WithTimeout(ctx, o.Within)
	defer cancel()
	c, err := verify.Start(within, o)
	if err != nil {
		stop()
		return nil, errors.Join(err, <-done)
	}
	err = errors.Join(c.Probe(within, o), c.Remove())
	stop()
	return func(found policies.Observation) bool {
		for _, replica := range found.Containers {
			if replica.ID == c.ID {
				return true
			}
		}
		return false
	}, errors.Join(err, <-done)
}
