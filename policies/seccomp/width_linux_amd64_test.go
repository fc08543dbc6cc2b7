package seccomp

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"advisor/trace"

	"golang.org/x/sys/unix"
)

// recorded are the calls whose arguments recordings have, with the places.
func recorded() map[string]string {
	return map[string]string{
		"socket": "012", "socketpair": "01", "clone": "0", "unshare": "0", "setns": "1",
		"personality": "0", "prctl": "0", "arch_prctl": "0", "ioctl": "1", "fcntl": "1", "bpf": "0",
		"keyctl": "0", "mmap": "2", "mprotect": "2",
	}
}

// TestWidthsAreTheKernels compares with the types that the running kernel
// declares the arguments of its calls with. On another kernel than that of the
// table only calls with recorded arguments must agree. The functions' names are
// those of x86_64.
func TestWidthsAreTheKernels(t *testing.T) {
	same := strings.HasPrefix(release(t), "6.18.")
	for name, types := range declarations(t) {
		if _, ok := trace.SyscallNumber(trace.ArchX8664, name); !ok {
			t.Errorf("%s is no call", name)
		}
		for i, declared := range types {
			want := narrow(declared) || name == "clone" && i == 0 // kernel/fork.c cuts it
			if intWide(name, i) == want {
				continue
			}
			if same || recorded()[name] != "" {
				t.Errorf("%s, argument %d: the kernel says %q, the table %v", name, i, declared, !want)
			}
		}
	}
}

func release(t *testing.T) string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	return unix.ByteSliceToString(u.Release[:])
}

// narrow tells the types of 32 bits and fewer.
func narrow(declared string) bool {
	switch strings.TrimPrefix(declared, "const ") {
	case "int", "unsigned int", "unsigned", "u32", "__u32", "__s32", "pid_t", "uid_t", "gid_t",
		"umode_t", "clockid_t", "timer_t", "mqd_t", "key_t", "key_serial_t", "rwf_t", "qid_t",
		"enum landlock_rule_type":
		return true
	}
	return false
}

var traced = regexp.MustCompile(`(?m)^\tfield:(.*?)\s*(\w+);\toffset:(\d+);`)

// declarations are the types of the arguments of each call, from tracefs.
func declarations(t *testing.T) map[string][]string {
	t.Helper()
	renamed := map[string]string{
		"newstat": "stat", "newfstat": "fstat", "newlstat": "lstat", "newuname": "uname",
		"sendfile64": "sendfile", "umount": "umount2",
	}
	files, _ := filepath.Glob(filepath.Join(tracefs(t), "events/syscalls/sys_enter_*/format"))
	if len(files) == 0 {
		missing(t, "tracefs has no events/syscalls: the kernel is built without FTRACE_SYSCALLS")
	}
	found := map[string][]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(filepath.Base(filepath.Dir(file)), "sys_enter_")
		if to, ok := renamed[name]; ok {
			name = to
		}
		found[name] = nil
		for _, m := range traced.FindAllStringSubmatch(string(text), -1) {
			// Before the arguments come four fields of all events, and the number.
			if !strings.HasPrefix(m[2], "common_") && m[2] != "__syscall_nr" {
				found[name] = append(found[name], m[1])
			}
		}
	}
	return found
}

func tracefs(t *testing.T) string {
	for _, dir := range []string{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"} {
		if _, err := os.Stat(filepath.Join(dir, "events")); err == nil {
			return dir
		}
	}
	dir := t.TempDir()
	if err := unix.Mount("advisor", dir, "tracefs", 0, ""); err != nil {
		missing(t, "mounting tracefs: "+err.Error())
	}
	t.Cleanup(func() { unix.Unmount(dir, 0) })
	return dir
}

// TestUpperHalves makes calls twice, once with bits above the 32nd in the
// arguments that recordings have, and compares what the kernel answers.
func TestUpperHalves(t *testing.T) {
	file, err := os.Open("/proc/self/ns/uts")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fd, garbage := file.Fd(), uintptr(0xdeadbeef)<<32
	for _, call := range []struct {
		name string
		nr   uintptr
		args [4]uintptr
		wide bool // the kernel looks at the upper half
	}{
		{"socket", unix.SYS_SOCKET, [4]uintptr{unix.AF_UNIX, unix.SOCK_STREAM, 0}, false},
		{"personality", unix.SYS_PERSONALITY, [4]uintptr{0xffffffff}, false},
		{"prctl", unix.SYS_PRCTL, [4]uintptr{unix.PR_GET_DUMPABLE}, false},
		{"ioctl", unix.SYS_IOCTL, [4]uintptr{fd, unix.NS_GET_NSTYPE}, false},
		{"fcntl", unix.SYS_FCNTL, [4]uintptr{fd, unix.F_GETFL}, false},
		{"bpf", unix.SYS_BPF, [4]uintptr{unix.BPF_PROG_GET_NEXT_ID, 0, 0}, false},
		{"keyctl", unix.SYS_KEYCTL, [4]uintptr{unix.KEYCTL_DESCRIBE, 0}, false},
		{"mprotect", unix.SYS_MPROTECT, [4]uintptr{0, 0, unix.PROT_READ}, false},
		{"unshare", unix.SYS_UNSHARE, [4]uintptr{0}, true},
		{"setns", unix.SYS_SETNS, [4]uintptr{fd, unix.CLONE_NEWUTS}, false},
	} {
		plain := answer(call.nr, call.args)
		for i := range call.args {
			if !strings.Contains(recorded()[call.name], string(rune('0'+i))) {
				continue
			}
			args := call.args
			args[i] |= garbage
			if got := answer(call.nr, args); (got == plain) == call.wide {
				t.Errorf("%s, argument %d: %v, and %v with an upper half", call.name, i, plain, got)
			}
		}
	}
}

// answer is what a call fails with; what it opens is closed.
func answer(nr uintptr, args [4]uintptr) unix.Errno {
	r, _, errno := unix.Syscall6(nr, args[0], args[1], args[2], args[3], 0, 0)
	if nr == unix.SYS_SOCKET && errno == 0 {
		unix.Close(int(r))
	}
	return errno
}

// TestUpperHalfOfClone forks with bits above the 32nd in clone's flags.
func TestUpperHalfOfClone(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD)|0xdeadbeef<<32, 0, 0, 0, 0, 0)
	if pid == 0 && errno == 0 {
		for {
			unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
		}
	}
	if errno != 0 {
		t.Fatal(errno)
	}
	if _, err := unix.Wait4(int(pid), nil, 0, nil); err != nil {
		t.Fatal(err)
	}
}
