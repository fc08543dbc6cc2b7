package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"advisor/monitor"
	"advisor/monitor/container"
	"advisor/verify"
)

// firstProcess does the work of a command's first process where this is one:
// the recorder starts itself again inside the command's namespaces, and an
// experiment once more to give up capabilities.
func firstProcess() (first bool, code int) {
	switch {
	case monitor.IsInit():
		return true, monitor.Init()
	case verify.IsLimit():
		return true, verify.Limit()
	}
	return false, 0
}

// Run records until it is enough, and passes the code of a command on.
func (c *monitorCmd) Run(ctx context.Context, s streams) error {
	if c.Cleanup {
		return cleanUp(s, monitor.PinFolder)
	}
	command, err := c.command()
	if err != nil {
		return err
	}
	// Who read the trace, or what is said on stderr, may be gone: the recording is
	// then ended in order, and the error of a write says so. A handler and not to
	// ignore it, which a command would inherit.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	if err := anew(c.ReadyFile); err != nil {
		return err
	}
	progress := newProgress(s, c.path())
	res, err := monitor.Run(ctx, c.options(s, command, progress))
	progress.done()
	if err != nil {
		return c.explain(s, err, len(command) > 0)
	}
	progress.summary(res)
	if res.ExitCode != 0 {
		return exitCode(res.ExitCode)
	}
	return nil
}

// cleanUp ends what is pinned. Where nothing is, all is as it was asked for.
func cleanUp(s streams, dir string) error {
	err := monitor.Cleanup(dir)
	if errors.Is(err, fs.ErrNotExist) {
		s.say("nothing to end: no recording is kept in %s", dir)
		return nil
	}
	return err
}

func (c *monitorCmd) options(s streams, command []string, p *progress) monitor.Options {
	pin := ""
	if c.Pin || c.Resume {
		pin = monitor.PinFolder
	}
	return monitor.Options{
		Pin: pin, Resume: c.Resume,
		Output: c.path(), Append: c.Append, Force: c.Force, Rotate: uint64(c.Rotate),
		Duration: c.Duration, UntilQuiet: c.UntilQuiet, UntilExit: c.UntilExit,
		Selection: container.Selection{
			Containers: c.Container, Pods: c.Pod, Namespaces: c.Namespace,
			Images: c.Image, Labels: c.Selector, Host: c.Host,
		},
		SelectionText: c.text(),
		Command:       command, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Denied: c.Denied, Outcomes: c.Outcomes, Arguments: c.Arguments, Slots: c.Slots,
		Counts: c.Counts, StrictCompat: c.StrictCompat,
		Files: c.Files, Last: c.Last, Dump: c.dumps(),
		Drop: true, Version: version(),
		Log:    c.log(p),
		Ready:  func(st monitor.Status) { p.ready(st, c.ReadyFile) },
		Status: p.status,
	}
}

// log is what the recorder says meanwhile: warnings as lines for people, or all of
// it for machines, too.
func (c *monitorCmd) log(p *progress) *slog.Logger {
	if c.Verbose {
		return slog.New(slog.NewTextHandler(p, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return slog.New(warnings{p})
}

// dumps says when SIGUSR1 asks for the last calls. Where none are kept it is
// left to end the process, as it does.
func (c *monitorCmd) dumps() <-chan os.Signal {
	if c.Last <= 0 {
		return nil
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	return asked
}

// explain adds what a user can do, and the code for a failure that is ours
// where a command's code would be passed on.
func (c *monitorCmd) explain(s streams, err error, commanded bool) error {
	switch {
	case errors.Is(err, fs.ErrExist):
		err = hint(fmt.Errorf("%s exists", c.path()), "--append continues it, --force replaces it")
	case errors.Is(err, monitor.ErrPrivilege):
		err = hint(err, "run as root; advisor doctor says what is missing")
	}
	if !commanded {
		return err
	}
	complain(s, fmt.Errorf("monitor: %w", err))
	return exitCode(commandCode(err))
}

// commandCode is the code of a command that did not run, as with env(1).
func commandCode(err error) int {
	var lookup *exec.Error
	switch {
	case !errors.As(err, &lookup):
		return exitMonitor
	case errors.Is(err, fs.ErrPermission):
		return 126
	}
	return 127
}
