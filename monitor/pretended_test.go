package monitor

import (
	"fmt"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"advisor/trace"
)

// actPretended makes a call that its filter answers with success, and never makes.
func actPretended() error {
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	err := setFilter([]unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // the call's number
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_KEYCTL, Jt: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO},
	})
	if err != nil {
		return err
	}
	_, _, _ = unix.RawSyscall(unix.SYS_GETPPID, 0, 0, 0)
	if got, _, errno := unix.RawSyscall(unix.SYS_KEYCTL, ^uintptr(0), 0, 0); got != 0 || errno != 0 {
		return fmt.Errorf("keyctl: %d, %w", got, errno)
	}
	return nil
}

// TestPretended: a call that a filter answers with success was refused all the same.
func TestPretended(t *testing.T) {
	got := run(t, t.Context(), Options{Command: self(t, "pretended"), Denied: "on"})
	if got.ExitCode != 0 {
		t.Fatalf("the command ended with %d: %s", got.ExitCode, got.stdout)
	}
	denied := of[*trace.Denied](got, baseName(self(t)[0]))
	if len(denied) != 1 || denied[0].Syscall != "keyctl" || denied[0].Action != "0" {
		t.Errorf("refused %+v, want keyctl with 0", denied)
	}
}
