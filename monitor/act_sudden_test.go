package monitor

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Ways to a filter that refuses keyctl, in a mount namespace that begins.
const (
	bySeccomp = "seccomp" // it gives itself one
	byPrctl   = "prctl"   // the other way
	byParent  = "parent"  // it has one from the start
	byHiding  = "hiding"  // as with seccomp, and nothing but refused calls follows for long
	byWaiting = "waiting" // as with seccomp, and it waits for a byte of input then
)

// actSudden has a child get a filter in its first calls, be refused a call at once,
// make one that shows who it is, and end. The first line of output says that the
// filter is there; nothing of the child waits for the writing of it but byWaiting.
func actSudden(way string) error {
	runtime.LockOSThread()
	rules := refuseKeyctl()
	prog := &unix.SockFprog{Len: uint16(len(rules)), Filter: &rules[0]}
	at := uintptr(unsafe.Pointer(prog))
	ready := []byte("ready\n")
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(prog)
	pin.Pin(&rules[0])
	pin.Pin(&ready[0])
	calls := []rawCall{
		{unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0},
		{unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, at},
	}
	switch way {
	case byPrctl:
		calls[1] = rawCall{unix.SYS_PRCTL, unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, at}
	case byParent:
		calls = nil
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return err
		}
		if err := setFilter(rules); err != nil {
			return err
		}
	case byWaiting:
		out := uintptr(unsafe.Pointer(&ready[0]))
		calls = append(calls, rawCall{unix.SYS_WRITE, 1, out, uintptr(len(ready))}, rawCall{unix.SYS_READ, 0, out, 1})
	}
	calls = append(calls, rawCall{unix.SYS_KEYCTL})
	if way == byHiding {
		calls = append(calls, slices.Repeat([]rawCall{{unix.SYS_ADD_KEY}}, 300_000)...)
	}
	calls = append(calls, rawCall{tagged}, rawCall{unix.SYS_EXIT_GROUP})
	pid, err := forkRaw(unix.CLONE_NEWNS, slices.Clip(calls))
	if err != nil {
		return err
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, 0, nil); err != nil || status != 0 {
		return fmt.Errorf("the child: %v, status %v", err, status)
	}
	return nil
}

// actCrowded has other threads make calls for as long as it runs, and is itself
// refused those of crowdedCalls one after the other. It makes another before each.
func actCrowded() error {
	runtime.LockOSThread()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var others sync.WaitGroup
	for range runtime.NumCPU() {
		others.Go(func() {
			for ctx.Err() == nil {
				for range 1000 {
					_, _, _ = unix.RawSyscall(unix.SYS_GETPPID, 0, 0, 0)
				}
			}
		})
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if err := setFilter(refuse(crowdedCalls())); err != nil {
		return err
	}
	for _, nr := range crowdedCalls() {
		_, _, _ = unix.RawSyscall(unix.SYS_GETPPID, 0, 0, 0)
		for since := time.Now(); time.Since(since) < 200*time.Microsecond; {
			continue // the others make calls, and this one none
		}
		if _, _, errno := unix.RawSyscall(nr, ^uintptr(0), 0, 0); errno != unix.ENOTNAM {
			return fmt.Errorf("call %d: %w", nr, errno)
		}
	}
	stop()
	others.Wait()
	return nil
}

// crowdedCalls are calls that this program does not make by itself.
func crowdedCalls() []uintptr {
	return []uintptr{
		unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_ACCT, unix.SYS_SWAPON, unix.SYS_SWAPOFF,
		unix.SYS_REBOOT, unix.SYS_QUOTACTL, unix.SYS_PERF_EVENT_OPEN, unix.SYS_UNSHARE, unix.SYS_SETNS,
		unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_SETHOSTNAME,
		unix.SYS_SETDOMAINNAME, unix.SYS_SYSLOG, unix.SYS_PTRACE, unix.SYS_INIT_MODULE, unix.SYS_DELETE_MODULE,
		unix.SYS_USERFAULTFD, unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_FANOTIFY_INIT,
	}
}
