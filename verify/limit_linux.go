package verify

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"advisor/trace"
)

// limitName is how advisor calls itself to give up capabilities.
const limitName = "advisor-limit"

// IsLimit tells whether this process is to give up capabilities and become a
// command. The program that calls [Run] asks before anything else, and then
// ends with the code of [Limit].
func IsLimit() bool { return len(os.Args) > 4 && os.Args[0] == limitName }

// Limit gives up what it is told and runs the command in its place. It returns,
// with the code that env(1) would, only where that fails.
func Limit() int {
	// Capabilities are of the thread, and exec takes those of the calling one.
	runtime.LockOSThread()
	list, quiet, path, args := os.Args[1], os.Args[2], os.Args[3], os.Args[4:]
	if err := limit(list, quiet == "true"); err != nil {
		fmt.Fprintln(os.Stderr, "advisor:", err)
		return 125
	}
	fmt.Fprintf(os.Stderr, "advisor: running %s: %v\n", path, syscall.Exec(path, args, os.Environ()))
	return 126
}

func limit(list string, noNewPrivileges bool) error {
	var keep uint64
	for _, name := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
		nr, ok := trace.CapabilityNumber(name)
		if !ok {
			return fmt.Errorf("no capability is called %q", name)
		}
		keep |= 1 << nr
	}
	if err := bound(keep); err != nil {
		return err
	}
	if noNewPrivileges {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("setting no_new_privs: %w", err)
		}
	}
	return hold(keep)
}

// bound drops from the bounding set what is not to be kept, up to the last
// capability that the kernel knows.
func bound(keep uint64) error {
	for nr := range 64 {
		in, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(nr), 0, 0, 0)
		if err == unix.EINVAL {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the bounding set: %w", err)
		}
		if in == 0 || keep>>nr&1 == 1 {
			continue
		}
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(nr), 0, 0, 0); err != nil {
			return fmt.Errorf("dropping capability %d: %w", nr, err)
		}
	}
	return nil
}

// hold keeps of this thread's capabilities those in keep.
func hold(keep uint64) error {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&head, &sets[0]); err != nil {
		return fmt.Errorf("reading the capabilities: %w", err)
	}
	for i := range sets {
		sets[i].Permitted &= uint32(keep >> (32 * i))
		sets[i].Effective, sets[i].Inheritable = sets[i].Permitted, 0
	}
	if err := unix.Capset(&head, &sets[0]); err != nil {
		return fmt.Errorf("giving up capabilities: %w", err)
	}
	return nil
}
