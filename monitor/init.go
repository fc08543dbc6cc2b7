package monitor

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// initName is how the recorder calls itself as the first process of a command's
// namespaces.
const initName = "advisor-init"

// InitArgs are the arguments with which this program, started in new mount and
// pid namespaces, is their first process and runs the program at path, as u
// where that is not nil.
func InitArgs(path string, u *User, args []string) []string {
	return append([]string{initName, u.String(), path}, args...)
}

// IsInit tells whether this process is the first of a command's namespaces. The
// program that calls [Run] asks before anything else, and then ends with the
// code of [Init].
func IsInit() bool { return len(os.Args) > 3 && os.Args[0] == initName }

// Init sets up the namespaces, runs the command, passes signals on to it, waits
// for what it leaves behind, and returns its exit code: 125 where the set-up
// failed, 126 and 127 where the program could not be run.
func Init() int {
	path, args := os.Args[2], os.Args[3:]
	u, err := ParseUser(os.Args[1])
	if err == nil {
		err = setUp()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "advisor:", err)
		return 125
	}
	pid, err := syscall.ForkExec(path, args, &syscall.ProcAttr{
		Env: os.Environ(), Files: []uintptr{0, 1, 2}, Sys: u.attr(),
	})
	if err != nil {
		fmt.Fprintf(os.Stderr, "advisor: running %s: %v\n", path, err)
		return exitOf(err)
	}
	go passSignals(pid)
	return reap(pid)
}

// setUp keeps mounts to ourselves and shows our own processes in /proc.
func setUp() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keeping the command's mounts private: %w", err)
	}
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := unix.Mount("proc", "/proc", "proc", flags, ""); err != nil {
		return fmt.Errorf("mounting the command's /proc: %w", err)
	}
	return nil
}

// passSignals hands on what is meant for the command. What the terminal sends,
// the command has had already; a second interrupt does no harm.
func passSignals(pid int) {
	c := make(chan os.Signal, 16)
	signal.Notify(c, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2)
	signal.Ignore(unix.SIGINT, unix.SIGTTOU, unix.SIGTTIN)
	for s := range c {
		if s, ok := s.(syscall.Signal); ok {
			_ = unix.Kill(pid, s)
		}
	}
}

// reap waits for the command, and for orphans meanwhile.
func reap(pid int) int {
	for {
		var status syscall.WaitStatus
		got, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return 125
		case got == pid && status.Exited():
			return status.ExitStatus()
		case got == pid && status.Signaled():
			return 128 + int(status.Signal())
		}
	}
}
