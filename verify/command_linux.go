package verify

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"advisor/monitor"
)

// grace is how long a command has to end after it was asked to.
const grace = 3 * time.Second

func (o Options) start(ctx context.Context, s setting) (*process, error) {
	switch {
	case len(o.Docker) > 0:
		return o.startDocker(ctx, s)
	case len(o.Command) > 0:
		return o.startCommand(s)
	}
	return nil, errNothing
}

// startCommand runs the command as the recorder does, below a first process in
// a mount and pid namespace of its own, with a step between that gives up all
// capabilities but the listed and takes on the filter.
func (o Options) startCommand(s setting) (*process, error) {
	if s.readOnly != nil {
		return nil, errors.New("a command has no root file system of its own to make read-only")
	}
	path, err := exec.LookPath(o.Command[0])
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return nil, fmt.Errorf("the command to verify: %w", err)
	}
	out := &tail{to: o.Output}
	cmd := &exec.Cmd{
		Path:   "/proc/self/exe",
		Args:   monitor.InitArgs("/proc/self/exe", nil, limitArgs(o, s, path)),
		Stdout: out, Stderr: out, WaitDelay: grace,
		SysProcAttr: &syscall.SysProcAttr{
			Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID, Pdeathsig: unix.SIGKILL,
		},
	}
	ended, err := run(cmd)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", o.Command[0], err)
	}
	return &process{
		ended: ended, last: out.line,
		code: func() int { return cmd.ProcessState.ExitCode() },
		stop: func() error { return stop(cmd, ended) },
	}, nil
}

// run starts a command on a thread that stays for as long as it lives: its
// death signal is tied to that thread.
func run(cmd *exec.Cmd) (<-chan struct{}, error) {
	started := make(chan error, 1)
	ended := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // the state tells how it ended
		}
		close(ended)
	}()
	return ended, <-started
}

// stop asks a command to end, and then ends its pid namespace.
func stop(cmd *exec.Cmd, ended <-chan struct{}) error {
	_ = cmd.Process.Signal(unix.SIGTERM)
	select {
	case <-ended:
		return nil
	case <-time.After(grace):
	}
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("ending %s: %w", cmd.Path, err)
	}
	<-ended
	return nil
}
