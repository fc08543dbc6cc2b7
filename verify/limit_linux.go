package verify

import (
	"encoding/base64"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"advisor/monitor"
	"advisor/trace"
)

// limitName is how advisor calls itself to give up capabilities.
const limitName = "advisor-limit"

// limitArgs are the arguments with which this program gives up capabilities,
// takes on a filter and becomes the program at path.
func limitArgs(o Options, s setting, path string) []string {
	return append([]string{
		limitName, strings.Join(s.capabilities, ","), strconv.FormatBool(s.quiet),
		base64.StdEncoding.EncodeToString(o.Filter), o.User, path,
	}, o.Command...)
}

// IsLimit tells whether this process is to give up capabilities and become a
// command. The program that calls [Run] asks before anything else, and then
// ends with the code of [Limit].
func IsLimit() bool { return len(os.Args) > 6 && os.Args[0] == limitName }

// Limit gives up what it is told and runs the command in its place. It returns,
// with the code that env(1) would, only where that fails.
func Limit() int {
	// Capabilities are of the thread, and exec takes those of the calling one.
	runtime.LockOSThread()
	path := os.Args[5]
	l, err := newLimit(os.Args[1], os.Args[2] == "true", os.Args[3], os.Args[4])
	if err == nil {
		err = l.image(path, os.Args[6:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "advisor:", err)
		return 125
	}
	what, errno := l.exec()
	fmt.Fprintf(os.Stderr, "advisor: %s: %s: %v\n", path, what, errno)
	return 126
}

// limit is all that the last steps before exec take. They are few and bare
// calls, because the filter may be in force between them.
type limit struct {
	head    unix.CapUserHeader
	sets    [2]unix.CapUserData
	quiet   bool // no_new_privs
	user    *monitor.User
	filter  []byte
	program unix.SockFprog

	path *byte
	argv []*byte
	envv []*byte
}

func newLimit(list string, quiet bool, filter, user string) (*limit, error) {
	l := &limit{quiet: quiet}
	var err error
	if l.user, err = monitor.ParseUser(user); err != nil {
		return nil, err
	}
	if l.filter, err = base64.StdEncoding.DecodeString(filter); err != nil {
		return nil, fmt.Errorf("the filter: %w", err)
	}
	const size = 8 // of struct sock_filter
	if n := len(l.filter); n > 0 {
		l.program.Len = uint16(n / size)
		l.program.Filter = (*unix.SockFilter)(unsafe.Pointer(&l.filter[0]))
	}
	keep, err := maskOf(list)
	if err != nil {
		return nil, err
	}
	if err := bound(keep); err != nil {
		return nil, err
	}
	return l, l.hold(keep)
}

func maskOf(list string) (uint64, error) {
	var keep uint64
	for _, name := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
		nr, ok := trace.CapabilityNumber(name)
		if !ok {
			return 0, fmt.Errorf("no capability is called %q", name)
		}
		keep |= 1 << nr
	}
	return keep, nil
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

// hold works out the sets that leave of this thread's capabilities those in
// keep. A user other than root starts with none, as in a container.
func (l *limit) hold(keep uint64) error {
	l.head.Version = unix.LINUX_CAPABILITY_VERSION_3
	if err := unix.Capget(&l.head, &l.sets[0]); err != nil {
		return fmt.Errorf("reading the capabilities: %w", err)
	}
	if l.user != nil && l.user.UID != 0 {
		keep = 0
	}
	for i := range l.sets {
		l.sets[i].Permitted &= uint32(keep >> (32 * i))
		l.sets[i].Effective, l.sets[i].Inheritable = l.sets[i].Permitted, 0
	}
	return nil
}

// image lays out the arguments of execve.
func (l *limit) image(path string, args []string) error {
	var err error
	if l.path, err = syscall.BytePtrFromString(path); err != nil {
		return err
	}
	if l.argv, err = syscall.SlicePtrFromStrings(args); err != nil {
		return err
	}
	l.envv, err = syscall.SlicePtrFromStrings(os.Environ())
	return err
}

// exec takes the steps in the order of runc: without no_new_privs a filter takes
// a capability to load and so comes first, with it the filter comes last.
func (l *limit) exec() (what string, errno syscall.Errno) {
	if !l.quiet {
		if errno = l.load(); errno != 0 {
			return "loading the filter", errno
		}
	}
	if errno = l.become(); errno != 0 {
		return "becoming " + l.user.String(), errno
	}
	_, _, errno = syscall.RawSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&l.head)),
		uintptr(unsafe.Pointer(&l.sets[0])), 0)
	if errno != 0 {
		return "giving up capabilities", errno
	}
	if l.quiet {
		_, _, errno = syscall.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0)
		if errno != 0 {
			return "setting no_new_privs", errno
		}
		if errno = l.load(); errno != 0 {
			return "loading the filter", errno
		}
	}
	_, _, errno = syscall.RawSyscall(unix.SYS_EXECVE, uintptr(unsafe.Pointer(l.path)),
		uintptr(unsafe.Pointer(&l.argv[0])), uintptr(unsafe.Pointer(&l.envv[0])))
	return "running it", errno
}

// become changes groups and user in the order of runc. As nobody is left who
// could change them back, they are the real, effective and saved ones.
func (l *limit) become() syscall.Errno {
	if l.user == nil {
		return 0
	}
	var first uintptr
	if len(l.user.Groups) > 0 {
		first = uintptr(unsafe.Pointer(&l.user.Groups[0]))
	}
	for _, call := range [...][3]uintptr{
		{unix.SYS_SETGROUPS, uintptr(len(l.user.Groups)), first},
		{unix.SYS_SETGID, uintptr(l.user.GID)},
		{unix.SYS_SETUID, uintptr(l.user.UID)},
	} {
		if _, _, errno := syscall.RawSyscall(call[0], call[1], call[2], 0); errno != 0 {
			return errno
		}
	}
	return 0
}

func (l *limit) load() syscall.Errno {
	if len(l.filter) == 0 {
		return 0
	}
	_, _, errno := syscall.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0,
		uintptr(unsafe.Pointer(&l.program)))
	return errno
}
