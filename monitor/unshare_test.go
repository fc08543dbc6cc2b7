package monitor

import (
	"context"
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"advisor/monitor/container"
)

// actUnshare makes the calls of a fork on the host and then once more, as the same
// thread, in a mount namespace of its own, with no exec between.
func actUnshare() error {
	runtime.LockOSThread()
	list := taggedCalls(0)
	list = list[:len(list)-1] // without the end
	once := func() {
		for _, nr := range list[:len(list)-1] {
			_, _, _ = unix.RawSyscall(nr, ^uintptr(0), 0, 0)
		}
	}
	once()
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return err
	}
	once()
	_, _, _ = unix.RawSyscall(list[len(list)-1], 0, 0, 0)
	return nil
}

// TestUnshareWithoutExec: a task that was known to be the host's is not any more
// when it has left, although it is the same task with the same stack.
func TestUnshareWithoutExec(t *testing.T) {
	got := whileRuns(t, self(t, "unshare")...)
	kind := &stormKind{calls: forkCalls()[:len(forkCalls())-1]}
	if found, whole := kind.check(t, got, 1); found != 1 || whole != 1 {
		t.Errorf("%d found, %d whole, %v", found, whole, brief(got.Losses))
	}
}

// whileRuns records the host and all else while a program runs on the host.
func whileRuns(t *testing.T, args ...string) recorded {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	return run(t, ctx, Options{
		Selection: container.Selection{Host: true},
		Ready: func(Status) {
			go func() {
				defer cancel()
				if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
					t.Errorf("%v: %v: %s", args, err, out)
				}
			}()
		},
	})
}
