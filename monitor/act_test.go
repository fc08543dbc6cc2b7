package monitor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"advisor/monitor/container"
)

// act is what this test binary does in a container: one known thing.
func act(args []string) int {
	if do, ok := acts()[args[0]]; ok {
		return must(do())
	}
	switch args[0] {
	case "loop", "opens", "rewrites":
		return actLoop(repeated(args[0]))
	case "fork":
		return must(actFork(args[1], args[2]))
	case "samepid":
		return must(actSamePID(args[1]))
	case "record":
		return must(actRecord(args[1], args[2], args[3]))
	case "least":
		return must(actLeast(args[1]))
	case "rate":
		return must(actRate(args[1]))
	case "serve":
		return must(actServe(args[1], args[2]))
	case "dial":
		return must(actDial(args[1], args[2]))
	case "call":
		return must(actCall(args[1]))
	case "ioctls":
		return actIoctls()
	case "arguments":
		return actArguments()
	case "files":
		return must(actFiles(args[1]))
	case "sudden":
		return must(actSudden(args[1]))
	case "refused":
		return must(actRefusedBy(args[1], len(args) > 2))
	}
	fmt.Fprintln(os.Stderr, "unknown act", args)
	return 2
}

// acts are those that need nothing said.
func acts() map[string]func() error {
	return map[string]func() error{
		"asks": actAsks, "busy": actBusy, "caps": actCaps, "client": actClient, "crowd": actCrowd, "crowded": actCrowded, "drop": actDrop,
		"filter": actFilter, "headless": actHeadless, "hold": actHold, "memfd": actMemfd, "nested": actNested, "network": actNetwork,
		"often": actOften, "pretended": actPretended, "redirected": actRedirected, "refusals": actRefusals, "replaced": actReplaced, "sends": actSends, "server": actServer,
		"tsync": actTsync, "unanswered": actUnanswered, "unasked": actUnasked, "unshare": actUnshare,
	}
}

// actRecord records everything until it is asked to end, or killed.
func actRecord(path, pin, slots string) error {
	n, err := strconv.Atoi(slots)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM)
	defer stop()
	res, err := Run(ctx, Options{
		Output: path, Pin: pin, Slots: n, Force: true, Selection: container.Selection{Host: true},
		Ready: func(Status) { fmt.Println("ready") },
	})
	for _, loss := range brief(res.Losses) {
		fmt.Printf("lost %d at %s/%s: %s\n", loss.Count, loss.Probe, loss.Stage, loss.Reason)
	}
	return err
}

func actRefusedBy(number string, threads bool) error {
	action, err := strconv.ParseUint(number, 0, 32)
	return errors.Join(err, actRefused(uint32(action), threads))
}

// actCall makes one call of a number, whatever comes of it.
func actCall(number string) error {
	nr, err := strconv.Atoi(number)
	if err == nil {
		_, _, _ = unix.RawSyscall(uintptr(nr), 0, 0, 0)
	}
	return err
}

func actIoctls() int {
	for cmd := range uintptr(100) {
		_, _, _ = unix.RawSyscall(unix.SYS_IOCTL, ^uintptr(0), cmd, 0)
	}
	return 0
}

func must(err error) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func openClose(path string, flags int) {
	if fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0o600); err == nil {
		unix.Close(fd)
	}
}

// repeated is what a loop of that name does.
func repeated(name string) func() {
	switch name {
	case "opens":
		return func() { openClose("/etc/passwd", unix.O_RDONLY) }
	case "rewrites":
		return func() { openClose(os.TempDir()+"/advisor-bench", unix.O_RDWR|unix.O_CREAT) }
	}
	return func() { _, _, _ = unix.RawSyscall(unix.SYS_GETPPID, 0, 0, 0) }
}

// actLoop does something as often as each line asks for, and says what that cost.
func actLoop(once func()) int {
	runtime.LockOSThread()
	for {
		var n int
		if _, err := fmt.Scanln(&n); err != nil {
			return 0
		}
		start := threadTime()
		for range n {
			once()
		}
		fmt.Println(threadTime() - start)
	}
}

func threadTime() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts)
	return ts.Nano()
}

// forkCalls do nothing, each in a way of its own, with no arguments.
func forkCalls() []uintptr {
	return []uintptr{
		unix.SYS_GETPID, unix.SYS_GETPPID, unix.SYS_GETUID, unix.SYS_GETEUID, unix.SYS_GETGID,
		unix.SYS_GETEGID, unix.SYS_GETTID, unix.SYS_SCHED_YIELD, unix.SYS_UNAME, unix.SYS_GETCWD,
		unix.SYS_SYSINFO, unix.SYS_GETRUSAGE, unix.SYS_CLOSE, unix.SYS_DUP, unix.SYS_FSTAT,
		unix.SYS_LSEEK, unix.SYS_READ, unix.SYS_WRITE, unix.SYS_IOCTL, unix.SYS_FCNTL,
		unix.SYS_GETPRIORITY, unix.SYS_GETSID, unix.SYS_GETPGID, unix.SYS_FSYNC,
		unix.SYS_FDATASYNC, unix.SYS_FTRUNCATE, unix.SYS_FCHDIR, unix.SYS_FCHMOD, unix.SYS_FLOCK,
		unix.SYS_PREAD64, unix.SYS_PWRITE64, unix.SYS_READV, unix.SYS_WRITEV,
		unix.SYS_GETDENTS64, unix.SYS_EPOLL_CTL, unix.SYS_INOTIFY_RM_WATCH,
		unix.SYS_TIMERFD_GETTIME, unix.SYS_SCHED_GETPARAM, unix.SYS_SCHED_GETSCHEDULER,
		unix.SYS_EXIT_GROUP,
	}
}

// tagged is what no kernel has a call for: each namespace of a test makes one of a
// number from here on that is its own, which is how it is known again, whoever
// else has containers on this machine, and whatever evidence was lost.
const tagged = 100_000

// taggedCalls are those of a namespace with a tag. It comes at the end: a call of
// an unknown number has the recorder look at its task anew.
func taggedCalls(tag int) []uintptr {
	list := forkCalls()
	return slices.Insert(list, len(list)-1, uintptr(tagged+tag))
}

// actFork makes so many children in mount namespaces of their own, tagged from a
// number on, which make those calls at once and nothing else. Before each, a child
// that stays on the host does the same and leaves its kernel stack to the next.
func actFork(first, many string) error {
	from, err := strconv.Atoi(first)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(many)
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	for i := range n {
		list := taggedCalls(from + i)
		for _, flags := range []uintptr{0, unix.CLONE_NEWNS} {
			pid, err := fork(flags, list, false)
			if err == nil {
				_, err = unix.Wait4(pid, nil, 0, nil)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// fork has a child make calls, all with an argument that is no file and no address,
// and stay where it is to hold.
func fork(flags uintptr, calls []uintptr, hold bool) (pid int, err error) {
	var list []rawCall
	if hold {
		list = append(list, rawCall{unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0})
	}
	for _, nr := range calls {
		list = append(list, rawCall{nr, ^uintptr(0), 0, 0})
	}
	if hold {
		list = slices.Insert(list, len(list)-1, rawCall{unix.SYS_PPOLL, 0, 0, 0})
	}
	return forkRaw(flags, list)
}

// rawCall is a number and arguments.
type rawCall [4]uintptr

// forkRaw has a child make calls, the last of which ends it. It has no Go runtime,
// so it may do nothing else.
func forkRaw(flags uintptr, calls []rawCall) (pid int, err error) {
	r, _, errno := unix.RawSyscall6(unix.SYS_CLONE, flags|uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if r == 0 && errno == 0 {
		for i := range calls {
			_, _, _ = unix.RawSyscall6(calls[i][0], calls[i][1], calls[i][2], calls[i][3], 0, 0, 0)
		}
	}
	if errno != 0 {
		return 0, fmt.Errorf("clone: %w", errno)
	}
	return int(r), nil
}

// crowd is how many namespaces actCrowd holds at a time.
const crowd = 1000

// actCrowd holds namespaces until its input ends.
func actCrowd() error {
	runtime.LockOSThread()
	list := forkCalls()
	for range crowd {
		if _, err := fork(unix.CLONE_NEWNS, list, true); err != nil {
			return err
		}
	}
	fmt.Println("ready")
	_, err := fmt.Scanln()
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
