package monitor

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"advisor/trace"
)

// quietCalls are calls that change nothing when they are given a bad descriptor.
func quietCalls() []uintptr {
	return []uintptr{
		unix.SYS_GETUID, unix.SYS_GETGID, unix.SYS_GETEUID, unix.SYS_GETEGID, unix.SYS_GETPPID,
		unix.SYS_SCHED_YIELD, unix.SYS_GETGROUPS, unix.SYS_FSTAT, unix.SYS_LSEEK, unix.SYS_FSYNC,
		unix.SYS_FDATASYNC, unix.SYS_FLOCK, unix.SYS_FCHMOD, unix.SYS_FCHOWN, unix.SYS_GETDENTS64,
		unix.SYS_READV, unix.SYS_WRITEV, unix.SYS_PREAD64, unix.SYS_PWRITE64, unix.SYS_FTRUNCATE,
		unix.SYS_FCHDIR, unix.SYS_SHUTDOWN, unix.SYS_LISTEN, unix.SYS_GETSOCKNAME, unix.SYS_GETPEERNAME,
		unix.SYS_SENDTO, unix.SYS_RECVFROM, unix.SYS_SENDMSG, unix.SYS_RECVMSG, unix.SYS_FALLOCATE,
		unix.SYS_FSTATFS, unix.SYS_SYNCFS, unix.SYS_FLISTXATTR, unix.SYS_FREMOVEXATTR, unix.SYS_READAHEAD,
		unix.SYS_TIMERFD_GETTIME, unix.SYS_PREADV, unix.SYS_PWRITEV, unix.SYS_TEE, unix.SYS_VMSPLICE,
	}
}

// Numbers of refused calls: one in use, one of no call, and one of the x32 ABI.
const (
	refusedKnown   = unix.SYS_KEYCTL
	refusedUnknown = 700
	refusedX32     = 0x40000000 | 250
)

// actRefusals makes more calls for the first time than a small ring holds, and
// then three that it refuses itself.
func actRefusals() error {
	runtime.LockOSThread()
	for _, nr := range quietCalls() {
		_, _, _ = unix.RawSyscall(nr, ^uintptr(0), 0, 0)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	err := setFilter([]unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // the call's number
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: refusedKnown, Jt: 3},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: refusedUnknown, Jt: 2},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: refusedX32, Jt: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOTNAM)},
	})
	if err != nil {
		return err
	}
	for _, nr := range []uintptr{refusedKnown, refusedUnknown, refusedX32} {
		if _, _, errno := unix.RawSyscall(nr, 0, 0, 0); errno != unix.ENOTNAM {
			fmt.Fprintf(os.Stderr, "call %d: %v\n", nr, errno)
			return errno
		}
	}
	return nil
}

// TestFullRing: events that find no room cost evidence and no fact, neither of
// calls that were made nor of refused ones.
func TestFullRing(t *testing.T) {
	got := run(t, t.Context(), Options{
		Denied: "on", Command: self(t, "refusals"), ring: uint32(os.Getpagesize()),
	})
	full := false
	for _, l := range got.Losses {
		full = full || l.Stage == "ring" && l.EvidenceOnly
	}
	if !full || got.Complete != trace.CompleteTrue {
		t.Fatalf("complete %v, losses %+v; want only evidence lost", got.Complete, got.Losses)
	}
	name := baseName(self(t)[0])
	for _, nr := range quietCalls() {
		if !slices.ContainsFunc(of[*trace.Syscall](got, name), func(c *trace.Syscall) bool {
			return c.Nr == int(nr) && c.Arch == archName(archNative) && c.Phase == trace.PhaseRun
		}) {
			t.Errorf("%s is missing", trace.SyscallName(archName(archNative), int(nr)))
		}
	}
	checkRefusals(t, of[*trace.Denied](got, name))
}

// TestRefusedNumbers is the same with room for all events.
func TestRefusedNumbers(t *testing.T) {
	got := run(t, t.Context(), Options{Denied: "on", Command: self(t, "refusals")})
	checkRefusals(t, of[*trace.Denied](got, baseName(self(t)[0])))
}

func checkRefusals(t *testing.T, facts []*trace.Denied) {
	t.Helper()
	var have []string
	for _, d := range facts {
		have = append(have, fmt.Sprintf("%s %d %s", d.Arch, d.Nr, d.Action))
	}
	slices.Sort(have)
	native := archName(archNative)
	want := []string{
		fmt.Sprintf("%s %d ENOTNAM", native, refusedKnown),
		fmt.Sprintf("%s %d ENOTNAM", native, refusedUnknown),
		fmt.Sprintf("%s %d ENOTNAM", archName(archX32), refusedX32&0xffff),
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
}
