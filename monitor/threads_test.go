package monitor

import (
	"errors"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"advisor/trace"
)

// elsewhere runs f on a thread that is not the first of the process.
func elsewhere(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			elsewhere(f)
			return
		}
		f()
	}()
	<-done
}

// actReplaced is another program from now on, by a thread that is not the first:
// the kernel ends all others, the first among them.
func actReplaced() (err error) {
	elsewhere(func() {
		err = unix.Exec("/bin/sh", []string{"sh", "-c", "sleep 0.3; exit 3"}, os.Environ())
	})
	return err
}

// actHeadless ends its first thread, and itself a while later.
func actHeadless() error {
	first := make(chan struct{})
	go elsewhere(func() {
		<-first
		wait := unix.Timespec{Nsec: 3e8}
		_ = unix.Nanosleep(&wait, nil)
		_, _, _ = unix.RawSyscall(unix.SYS_EXIT_GROUP, 3, 0, 0)
	})
	// The first goroutine of a program begins on the first thread.
	if unix.Gettid() != unix.Getpid() {
		return errors.New("this is not the first thread")
	}
	close(first)
	_, _, _ = unix.RawSyscall(unix.SYS_EXIT, 0, 0, 0)
	return nil
}

// TestExitOfAll: a container ends when its first process does, with the code of
// that, and not when the first thread of it ends.
func TestExitOfAll(t *testing.T) {
	for _, act := range []string{"replaced", "headless"} {
		t.Run(act, func(t *testing.T) {
			got := run(t, t.Context(), Options{Command: self(t, act)})
			name := baseName(self(t)[0])
			if got.ExitCode != 3 {
				t.Fatalf("the command ended with %d: this test shows nothing", got.ExitCode)
			}
			exits := of[*trace.Exit](got, name)
			if len(exits) != 1 || exits[0].Code == nil || *exits[0].Code != 3 {
				t.Fatalf("exits %+v, want one with code 3", exits)
			}
			for _, call := range of[*trace.Syscall](got, name) {
				if call.Phase == trace.PhaseRun && call.Time.After(exits[0].Time) {
					t.Errorf("%s was called %v after the end", call.Name, call.Time.Sub(exits[0].Time))
				}
			}
		})
	}
}
