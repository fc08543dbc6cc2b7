package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"advisor/monitor"
	"advisor/policies"
	"advisor/policies/caps"
	"advisor/report"
	"advisor/verify"
)

// Run records the workload where no list is given, and verifies the list.
func (c *verifyCmd) Run(ctx context.Context, s streams) error {
	args, err := c.workload()
	if err != nil {
		return err
	}
	o := c.options(s, args)
	known := map[string]inferred{}
	if len(c.Capabilities) == 0 {
		made, err := c.record(ctx, s, o)
		if err != nil {
			return c.explain(err)
		}
		o.Capabilities, known = made.Add, inferences(made)
		o.NoNewPrivileges = made.Security.AllowPrivilegeEscalation != nil &&
			!*made.Security.AllowPrivilegeEscalation
	}
	s.say("verifying %d capabilities: %s", len(o.Capabilities), strings.Join(o.Capabilities, ", "))
	found, err := verify.Run(ctx, o)
	if err != nil {
		return c.explain(err)
	}
	return c.print(s, found, known)
}

func (c *verifyCmd) options(s streams, args []string) verify.Options {
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
	return o
}

func attemptText(a verify.Attempt) string {
	text := "with all"
	if len(a.Without) > 0 {
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
func inferences(s caps.Synthesis) map[string]inferred {
	known := make(map[string]inferred)
	for _, f := range s.Facts {
		choice := f.Class == caps.Alternative && f.Allowed && known[f.Name].Class == ""
		if f.Class == caps.Needed || choice {
			known[f.Name] = inferred{Class: string(f.Class), Why: f.Evidence()}
		}
	}
	return known
}

// record runs the workload as it is until it passes, and makes its list.
func (c *verifyCmd) record(ctx context.Context, s streams, o verify.Options) (caps.Synthesis,
	error) {
	dir, err := os.MkdirTemp("", "advisor-verify-")
	if err != nil {
		return caps.Synthesis{}, err
	}
	defer os.RemoveAll(dir)
	log := filepath.Join(dir, "trace.log")
	s.say("recording")
	mine, err := c.recordTo(ctx, log, o)
	if err != nil {
		return caps.Synthesis{}, fmt.Errorf("recording the workload: %w", err)
	}
	seen, err := report.Observe([]string{log}, nil)
	if err != nil {
		return caps.Synthesis{}, err
	}
	for _, found := range seen.Observations {
		if mine(found) {
			return proven(found)
		}
	}
	return caps.Synthesis{}, errors.New("the workload is not in its recording")
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
	opt := monitor.Options{
		Output: log, Outcomes: "on", Version: version(),
		Command: o.Command, Ready: func() { close(ready) },
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
	err := c.useCommand(ctx, o, stop, done)
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

// verified is the result as JSON.
type verified struct {
	verify.Result
	Inferred map[string]inferred `json:"inferred,omitempty"`
}

func (c *verifyCmd) print(s streams, found verify.Result, known map[string]inferred) error {
	if c.Format == "json" {
		out := json.NewEncoder(s.out)
		out.SetIndent("", "  ")
		return out.Encode(verified{found, known})
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-20s %-12s %s\n", "CAPABILITY", "INFERRED", "VERIFIED")
	for _, v := range found.Verdicts {
		fmt.Fprintln(&b, verdictLine(v.Name, known[v.Name], v.Necessary, v.Reason))
	}
	fmt.Fprintf(&b, "least: %s\n", orDash(strings.Join(found.Least, ", ")))
	_, err := io.WriteString(s.out, b.String())
	return err
}
