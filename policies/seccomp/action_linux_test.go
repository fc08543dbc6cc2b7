package seccomp

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestActionsAreTheKernels holds the words against what a filter then returns
// (seccomp(2)); KILL is the runtime specification's older word for a thread's.
func TestActionsAreTheKernels(t *testing.T) {
	five := uint(5)
	for action, want := range map[Action]uint32{
		"SCMP_ACT_KILL":         unix.SECCOMP_RET_KILL_THREAD,
		"SCMP_ACT_KILL_THREAD":  unix.SECCOMP_RET_KILL_THREAD,
		"SCMP_ACT_KILL_PROCESS": unix.SECCOMP_RET_KILL_PROCESS,
		"SCMP_ACT_TRAP":         unix.SECCOMP_RET_TRAP,
		"SCMP_ACT_ERRNO":        unix.SECCOMP_RET_ERRNO | 5,
		"SCMP_ACT_NOTIFY":       unix.SECCOMP_RET_USER_NOTIF,
		"SCMP_ACT_TRACE":        unix.SECCOMP_RET_TRACE | 5,
		"SCMP_ACT_LOG":          unix.SECCOMP_RET_LOG,
		"SCMP_ACT_ALLOW":        unix.SECCOMP_RET_ALLOW,
	} {
		if got := outcome(action, &five).packed(); got != want {
			t.Errorf("%s returns %#x, want %#x", action, got, want)
		}
		if back := unpacked(want); back != outcome(action, &five) {
			t.Errorf("%#x is read as %v, want %s", want, back, action)
		}
		if passes := want == unix.SECCOMP_RET_LOG || want == unix.SECCOMP_RET_ALLOW; action.Admits() != passes {
			t.Errorf("%s admits: %t", action, action.Admits())
		}
	}
}
