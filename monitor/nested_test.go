package monitor

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"advisor/trace"
)

// nestedCall is of no call, and of no other test.
const nestedCall = 90_000

// actNested leaves for a mount namespace of its own, and goes on there.
func actNested() error {
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return err
	}
	_, _, _ = unix.RawSyscall(unix.SYS_GETPRIORITY, 0, 0, 0)
	_, _, _ = unix.RawSyscall(unix.SYS_SETNS, ^uintptr(0), 0, 0)
	_, _, _ = unix.RawSyscall(nestedCall, 0, 0, 0)
	return unix.Chroot("/")
}

// TestNestedIsTheWorkload: what a program of a container does in a namespace that it
// has made is the workload's doing, not a runtime's.
func TestNestedIsTheWorkload(t *testing.T) {
	for _, arguments := range []bool{false, true} {
		got := run(t, t.Context(), Options{Command: self(t, "nested"), Arguments: arguments})
		name := baseName(self(t)[0])
		var calls, checks []trace.Phase
		for _, c := range of[*trace.Syscall](got, name) {
			if c.Nr == unix.SYS_GETPRIORITY || c.Nr == unix.SYS_SETNS || c.Nr == nestedCall {
				calls = append(calls, c.Phase)
			}
		}
		for _, c := range of[*trace.Capability](got, name) {
			if c.Name == "SYS_CHROOT" {
				checks = append(checks, c.Phase)
			}
		}
		if len(calls) != 3 || len(checks) == 0 {
			t.Errorf("calls %q, checks %q: want three calls, and a check", calls, checks)
		}
		for _, phase := range append(calls, checks...) {
			if phase != trace.PhaseRun {
				t.Errorf("calls %q, checks %q: all of it is the workload's", calls, checks)
				break
			}
		}
	}
}
