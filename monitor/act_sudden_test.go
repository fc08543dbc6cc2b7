package monitor

import (
	"fmt"
	"runtime"
	"slices"
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
