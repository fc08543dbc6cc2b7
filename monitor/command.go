package monitor

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"advisor/monitor/container"
	"advisor/trace"
)

// commandRuntime is the runtime of a container that is a command of ours.
const commandRuntime = container.Command

// grace is how long a command has to end after it was asked to.
const grace = 5 * time.Second

// command is the program that is recorded as one container: in a mount and pid
// namespace of its own and, where the tree allows it, a cgroup; on the host's
// network. A nil command is none.
type command struct {
	args   []string
	user   *User
	path   string
	cmd    *exec.Cmd
	group  string // directory of its cgroup, "" without one
	cgroup string // name of that
	done   chan struct{}
	code   int
	main   uint64 // its mount namespace, once seen
}

// newCommand finds the program before anything is set up for it.
func newCommand(o Options) (*command, error) {
	c := &command{args: o.Command, user: o.User, done: make(chan struct{})}
	if len(o.Command) == 0 {
		return c, nil
	}
	path, err := exec.LookPath(o.Command[0])
	if err != nil {
		return nil, fmt.Errorf("the command to record: %w", err)
	}
	if c.path, err = filepath.Abs(path); err != nil {
		return nil, fmt.Errorf("the command to record: %w", err)
	}
	c.cmd = &exec.Cmd{
		// The executable is reached through its old mount, so that its first
		// steps in the new namespace count as the runtime's and not as the
		// workload's.
		Path:   "/proc/self/exe",
		Args:   InitArgs(c.path, o.User, o.Command),
		Stdin:  o.Stdin,
		Stdout: writerOr(o.Stdout),
		Stderr: writerOr(o.Stderr),
		SysProcAttr: &syscall.SysProcAttr{
			Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID,
			Pdeathsig:  unix.SIGKILL,
		},
	}
	return c, nil
}

// start runs it. Recording has begun.
func (c *command) start() error {
	if c.cmd == nil {
		return nil
	}
	release, err := c.enterCgroup()
	if err != nil {
		return err
	}
	started := make(chan error, 1)
	go c.run(started)
	err = <-started
	release()
	if err != nil {
		c.cleanup()
		return fmt.Errorf("starting %s: %w", c.args[0], err)
	}
	return nil
}

// run starts the command and waits for it. Its death signal is tied to the
// thread that made it, so that thread is kept for as long as it lives.
func (c *command) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := c.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	c.code = waitCode(c.cmd.Wait())
	c.cleanup()
	close(c.done)
}

// enterCgroup makes a cgroup and has the command begin in it. Where there is no
// tree to make it in, the pid namespace must do to tell the command apart.
func (c *command) enterCgroup() (release func(), err error) {
	root, err := cgroup2()
	if err != nil {
		return func() {}, nil
	}
	sweep(root)
	c.cgroup = fmt.Sprintf("%s%d", cgroupPrefix, os.Getpid())
	c.group = filepath.Join(root, c.cgroup)
	if err := os.Mkdir(c.group, 0o755); err != nil {
		c.group, c.cgroup = "", ""
		return func() {}, nil
	}
	dir, err := os.Open(c.group)
	if err != nil {
		c.cleanup()
		return nil, fmt.Errorf("the command's cgroup: %w", err)
	}
	c.cmd.SysProcAttr.UseCgroupFD = true
	c.cmd.SysProcAttr.CgroupFD = int(dir.Fd())
	return func() { dir.Close() }, nil
}

const cgroupPrefix = "advisor-"

// sweep removes what recorders that were killed left behind. A cgroup with
// processes in it cannot be removed; that of a recorder which lives may be about to
// get its first, and others may have cgroups that are called like it.
func sweep(root string) {
	left, _ := filepath.Glob(filepath.Join(root, cgroupPrefix+"*"))
	for _, dir := range left {
		pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(dir), cgroupPrefix))
		if err == nil && pid > 0 && errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
			_ = os.Remove(dir)
		}
	}
}

// cleanup removes the cgroup. It is busy for a moment after its last process.
func (c *command) cleanup() {
	for range 50 {
		if c.group == "" || !errors.Is(os.Remove(c.group), unix.EBUSY) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// stop asks the command to end, and makes it.
func (c *command) stop() {
	if c.cmd == nil {
		return
	}
	_ = c.cmd.Process.Signal(unix.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(grace):
		_ = c.cmd.Process.Kill()
		<-c.done
	}
}

// waitCode is an exit code as a shell gives it.
func waitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &exit):
		return 125
	case exit.ExitCode() >= 0:
		return exit.ExitCode()
	}
	status, _ := exit.Sys().(syscall.WaitStatus)
	return 128 + int(status.Signal())
}

// owns tells whether s is the command's.
func (c *command) owns(s *space) bool {
	_, ours := c.container(s)
	return ours
}

// container is the command, where s is its own namespace or a nested one in the
// very same cgroup.
func (c *command) container(s *space) (trace.Container, bool) {
	if c.cmd == nil || c.cmd.Process == nil {
		return trace.Container{}, false
	}
	ours := s.sight.PID == c.cmd.Process.Pid || s.first == c.cmd.Process.Pid ||
		c.cgroup != "" && s.sight.Cgroup == c.cgroup
	if !ours {
		return trace.Container{}, false
	}
	if c.main == 0 {
		c.main = s.id
	}
	return c.record(), true
}

// nested is the command too, for a namespace somewhere below its cgroup that no
// runtime claims.
func (c *command) nested(s *space, rec trace.Container) (trace.Container, bool) {
	unclaimed := rec.Runtime == "" || rec.Runtime == container.Host
	if c.main == 0 || c.cgroup == "" || !unclaimed ||
		!strings.Contains(s.sight.CgroupPath+"/", "/"+c.cgroup+"/") {
		return trace.Container{}, false
	}
	return c.record(), true
}

func (c *command) record() trace.Container {
	return trace.Container{
		ID: fmt.Sprintf("command-%d", c.main), Runtime: commandRuntime,
		Name: baseName(c.path), Command: c.path, PID: c.cmd.Process.Pid,
		Granted: &trace.Granted{User: c.who()},
	}
}

// who is the user that the command starts as.
func (c *command) who() string {
	if c.user != nil {
		return c.user.ids()
	}
	return fmt.Sprintf("%d:%d", os.Geteuid(), os.Getegid())
}
