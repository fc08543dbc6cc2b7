package strace_test

import (
	"testing"
	"time"

	"advisor/report/strace"
	"advisor/trace"
)

const cwd = 1<<64 - 100

func call(name string, result int64, args ...uint64) *trace.Last {
	nr, _ := trace.SyscallNumber(trace.ArchX8664, name)
	for len(args) < 6 {
		args = append(args, 0)
	}
	return &trace.Last{Arch: trace.ArchX8664, Nr: nr, Syscall: name, Args: args, Result: &result}
}

func with(l *trace.Last, texts ...trace.Text) *trace.Last {
	l.Texts = texts
	return l
}

// TestAsStrace holds lines against those that strace 6.1 gave for the same calls.
func TestAsStrace(t *testing.T) {
	path := trace.Text{Index: 1, Value: "/etc/ld.so.cache"}
	arm := with(call("openat", 3, cwd, 1, 0x84000), trace.Text{Index: 1, Value: "."})
	arm.Arch = trace.ArchAarch64
	tests := []struct {
		call *trace.Last
		want string
	}{
		{with(call("openat", 3, cwd, 0x7f00, 0x80000), path), `openat(AT_FDCWD, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = 3`},
		{with(call("openat", 3, cwd, 1, 0x241, 0o666), trace.Text{Index: 1, Value: "xd/f"}), `openat(AT_FDCWD, "xd/f", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3`},
		{with(call("openat", 3, cwd, 1, 0x90800), trace.Text{Index: 1, Value: "."}), `openat(AT_FDCWD, ".", O_RDONLY|O_NONBLOCK|O_CLOEXEC|O_DIRECTORY) = 3`},
		{arm, `openat(AT_FDCWD, ".", O_RDONLY|O_CLOEXEC|O_DIRECTORY) = 3`},
		{with(call("access", -2, 0x55, 4), trace.Text{Value: "/etc/ld.so.preload"}), `access("/etc/ld.so.preload", R_OK) = -1 ENOENT (No such file or directory)`},
		{call("mmap", 0x7f8748c20000, 0, 8192, 3, 0x22, 1<<32-1), `mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f8748c20000`},
		{call("mmap", 0x7f8748c16000, 0, 37371, 1, 2, 3), `mmap(NULL, 37371, PROT_READ, MAP_PRIVATE, 3, 0) = 0x7f8748c16000`},
		{call("mprotect", 0, 0x7f8748bed000, 16384, 1), `mprotect(0x7f8748bed000, 16384, PROT_READ) = 0`},
		{with(call("mknodat", 0, cwd, 1, 0o100600, 7), trace.Text{Index: 1, Value: "/tmp/x"}), `mknodat(AT_FDCWD, "/tmp/x", S_IFREG|0600) = 0`},
		{with(call("mknodat", -1, cwd, 1, 0o020666, 0x103), trace.Text{Index: 1, Value: "null"}), `mknodat(AT_FDCWD, "null", S_IFCHR|0666, makedev(0x1, 0x3)) = -1 EPERM (Operation not permitted)`},
		{call("kill", 0, 6643, 0), `kill(6643, 0) = 0`},
		{call("kill", 0, 6643, 15), `kill(6643, SIGTERM) = 0`},
		{call("fcntl", 11, 1, 0, 10), `fcntl(1, F_DUPFD, 10) = 11`},
		{call("fcntl", 0, 11, 2, 1), `fcntl(11, F_SETFD, FD_CLOEXEC) = 0`},
		{call("fcntl", 1, 3, 1, 9), `fcntl(3, F_GETFD) = 0x1 (flags FD_CLOEXEC)`},
		{call("fcntl", 0x38800, 4, 3), `fcntl(4, F_GETFL) = 0x38800 (flags O_RDONLY|O_NONBLOCK|O_LARGEFILE|O_NOFOLLOW|O_DIRECTORY)`},
		{with(call("renameat2", 0, cwd, 1, cwd, 2, 1), trace.Text{Index: 1, Value: "a"}, trace.Text{Index: 3, Value: "b"}),
			`renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE) = 0`},
		{call("socket", 3, 1, 0x80001, 0), `socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3`},
		{call("socket", 3, 10, 0x80002, 0), `socket(AF_INET6, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_IP) = 3`},
		{with(call("connect", -2, 3, 1, 8), trace.Text{Index: 1, Value: `{sa_family=AF_UNIX, sun_path="/none"}`, Socket: true}),
			`connect(3, {sa_family=AF_UNIX, sun_path="/none"}, 8) = -1 ENOENT (No such file or directory)`},
		{with(call("unlinkat", 0, 4, 1, 0), trace.Text{Index: 1, Value: "l"}), `unlinkat(4, "l", 0) = 0`},
		{with(call("unlinkat", 0, cwd, 1, 0x200), trace.Text{Index: 1, Value: "xd"}), `unlinkat(AT_FDCWD, "xd", AT_REMOVEDIR) = 0`},
		{with(call("faccessat2", 0, cwd, 1, 1, 0x200), trace.Text{Index: 1, Value: "/bin/sh"}), `faccessat2(AT_FDCWD, "/bin/sh", X_OK, AT_EACCESS) = 0`},
		{with(call("mkdir", 0, 1, 1<<32|0o777), trace.Text{Value: "d"}), `mkdir("d", 0777) = 0`},
		{with(call("mkdir", 0, 1, 0o777), trace.Text{Value: `a\"b\303\251`, Cut: true}), `mkdir("a\"b\303\251"..., 0777) = 0`},
		{call("brk", 0x55a7d8a3c000, 0), `brk(NULL) = 0x55a7d8a3c000`},
		{call("dup2", 1, 3, 1), `dup2(3, 1) = 1`},
		{call("lseek", 0, 3, 0, 1), `lseek(3, 0, SEEK_CUR) = 0`},
		{call("wait4", -512, 1<<64-1, 0x7ffc, 0, 0), `wait4(-1, 0x7ffc, 0, NULL) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)`},
		{call("umask", 0o22, 0), `umask(000) = 022`},
		{call("chmod", 0, 0x10, 0o600), `chmod(0x10, 0600) = 0`},
	}
	for _, tt := range tests {
		if got := strace.Call(tt.call) + " = " + strace.Result(tt.call); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

// TestNarrow does so for calls of a 32-bit program, which strace saw on i386. On ARM
// a number of 64 bits begins in an even register (AAPCS, 6.5), and takes another
// place where one is left out.
func TestNarrow(t *testing.T) {
	const none = 1<<32 - 1
	tests := []struct {
		name      string
		result    int64
		i386, arm []uint64 // nil where the architecture has no such call
		want      string
	}{
		{"pread64", -9, []uint64{none, 0, 3, 2, 1}, []uint64{none, 0, 3, 9, 2, 1}, "pread64(-1, NULL, 3, 4294967298) = -1 EBADF (Bad file descriptor)"},
		{"preadv", -9, []uint64{none, 0, 1, 2, 1}, []uint64{none, 0, 1, 2, 1}, "preadv(-1, NULL, 1, 4294967298) = -1 EBADF (Bad file descriptor)"},
		{"fadvise64_64", -9, []uint64{none, 2, 1, 5, 0, 3}, nil, "fadvise64_64(-1, 4294967298, 5, 3) = -1 EBADF (Bad file descriptor)"},
		{"arm_fadvise64_64", -9, nil, []uint64{none, 3, 2, 1, 5, 0}, "arm_fadvise64_64(-1, 3, 4294967298, 5) = -1 EBADF (Bad file descriptor)"},
		{"fallocate", -9, []uint64{none, 1, 2, 1, 4, 0}, []uint64{none, 1, 2, 1, 4, 0}, "fallocate(-1, 0x1, 4294967298, 4) = -1 EBADF (Bad file descriptor)"},
		{"readahead", -9, []uint64{none, 2, 1, 7}, []uint64{none, 9, 2, 1, 7}, "readahead(-1, 4294967298, 7) = -1 EBADF (Bad file descriptor)"},
		{"truncate64", -14, []uint64{0, 2, 1}, []uint64{0, 9, 2, 1}, "truncate64(NULL, 4294967298) = -1 EFAULT (Bad address)"},
		{"ftruncate64", -9, []uint64{none, 2, 1}, []uint64{none, 9, 2, 1}, "ftruncate64(-1, 4294967298) = -1 EBADF (Bad file descriptor)"},
		{"_llseek", -9, []uint64{none, 1, 2, 0, 1}, []uint64{none, 1, 2, 0, 1}, "_llseek(-1, 4294967298, NULL, SEEK_CUR) = -1 EBADF (Bad file descriptor)"},
		{"mmap2", 0xf7c70000, []uint64{0, 8192, 3, 0x22, none, 3}, []uint64{0, 8192, 3, 0x22, none, 3},
			"mmap2(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0x3000) = 0xf7c70000"},
		{"fstatat64", -14, []uint64{none - 99, 0, 0, 0x100}, []uint64{none - 99, 0, 0, 0x100}, "fstatat64(AT_FDCWD, NULL, NULL, AT_SYMLINK_NOFOLLOW) = -1 EFAULT (Bad address)"},
		{"statfs64", -14, []uint64{0, 84, 0}, []uint64{0, 84, 0}, "statfs64(NULL, 84, NULL) = -1 EFAULT (Bad address)"},
		{"fcntl64", 1, []uint64{3, 1, 9}, []uint64{3, 1, 9}, "fcntl64(3, F_GETFD) = 0x1 (flags FD_CLOEXEC)"},
		{"chown32", -14, []uint64{0, 1, 2}, []uint64{0, 1, 2}, "chown32(NULL, 1, 2) = -1 EFAULT (Bad address)"},
		{"getuid32", 0, []uint64{}, []uint64{}, "getuid32() = 0"},
		{"lseek", -9, []uint64{none, none, 1}, []uint64{none, none, 1}, "lseek(-1, -1, SEEK_CUR) = -1 EBADF (Bad file descriptor)"},
		{"ftruncate", -22, []uint64{none, none - 4}, []uint64{none, none - 4}, "ftruncate(-1, 4294967291) = -1 EINVAL (Invalid argument)"},
		{"sigprocmask", 0, []uint64{0, 0, 0}, []uint64{0, 0, 0}, "sigprocmask(SIG_BLOCK, NULL, NULL) = 0"},
		{"sigaction", 0, []uint64{15, 0, 0}, []uint64{15, 0, 0}, "sigaction(SIGTERM, NULL, NULL) = 0"},
		{"set_tls", 0, nil, []uint64{0xb6f00000}, "set_tls(0xb6f00000) = 0"},
	}
	for _, tt := range tests {
		for arch, args := range map[string][]uint64{trace.ArchI386: tt.i386, trace.ArchArm: tt.arm} {
			nr, known := trace.SyscallNumber(arch, tt.name)
			if known != (args != nil) {
				t.Errorf("%s has %s: %t", arch, tt.name, known)
			}
			if args == nil {
				continue
			}
			for len(args) < 6 {
				args = append(args, 7)
			}
			l := &trace.Last{Arch: arch, Nr: nr, Syscall: tt.name, Args: args, Result: &tt.result}
			if got := strace.Call(l) + " = " + strace.Result(l); got != tt.want {
				t.Errorf("%s\ngot  %s\nwant %s", arch, got, tt.want)
			}
		}
	}
}

func TestLine(t *testing.T) {
	at := time.Date(2026, 11, 21, 12, 9, 58, 123456789, time.UTC)
	exit := call("exit_group", 0, 3)
	exit.Result, exit.Time, exit.TID = nil, at, 47
	slow := call("close", 0, 3)
	slow.Time, slow.TID, slow.Nanos = at, 4711, 1_500_000
	denied := call("keyctl", -1, 7, 11)
	denied.Time, denied.TID, denied.Denied, denied.Nanos = at, 4711, trace.DeniedErrno, 3
	killed := call("close", 0, 3)
	killed.Result, killed.Time, killed.TID, killed.Denied = nil, at, 4711, trace.DeniedSignal
	foreign := &trace.Last{Arch: trace.ArchI386, Nr: 999, Args: []uint64{1, 0}, TID: 1, Time: at, Resumed: true}
	for _, tt := range []struct {
		call *trace.Last
		want string
	}{
		{exit, "[pid    47] 12:09:58.123456 exit_group(3)                           = ?"},
		{slow, "[pid  4711] 12:09:58.123456 close(3)                                = 0 <0.001500>"},
		{denied, "[pid  4711] 12:09:58.123456 keyctl(7, 0xb, 0, 0, 0)                 = -1 EPERM (Operation not permitted) [refused by a filter]"},
		{killed, "[pid  4711] 12:09:58.123456 close(3)                                = ? [refused by a filter: SIGSYS]"},
		{foreign, "[pid     1] 12:09:58.123456 syscall_0x3e7(0x1, 0)                   = ? [resumed]"},
	} {
		if got := strace.Line(tt.call); got != tt.want {
			t.Errorf("got  %q\nwant %q", got, tt.want)
		}
	}
}

// FuzzLine holds that whatever a trace says is written, on one line.
func FuzzLine(f *testing.F) {
	f.Add("openat", "x86_64", uint64(cwd), uint64(0x241), int64(-2), "a", 1)
	f.Add("pread64", "arm", uint64(3), uint64(1), int64(-9), "", 0)
	f.Add("mmap", "aarch64", uint64(1<<63), uint64(1<<63), int64(1<<62), "b", 9)
	f.Fuzz(func(t *testing.T, name, arch string, a, b uint64, result int64, text string, index int) {
		for n := range 7 {
			l := &trace.Last{Syscall: name, Arch: arch, Args: []uint64{a, b, a, b, a, b}[:min(n, 6)], Result: &result,
				Texts: []trace.Text{{Index: index, Value: text}}}
			if strace.Line(l) == "" {
				t.Error("nothing")
			}
		}
	})
}

// TestKinds lets no letter of a signature be one that nobody writes.
func TestKinds(t *testing.T) {
	for name, kinds := range strace.Signatures() {
		if _, known := trace.SyscallNumber(trace.ArchX8664, name); !known {
			t.Errorf("%s: x86_64 has no such call", name)
		}
		if len(kinds) > 6 {
			t.Errorf("%s: %d arguments", name, len(kinds))
		}
	}
	for name := range strace.Signatures32() {
		_, arm := trace.SyscallNumber(trace.ArchArm, name)
		_, i386 := trace.SyscallNumber(trace.ArchI386, name)
		if !arm && !i386 {
			t.Errorf("%s: neither arm nor i386 has such a call", name)
		}
	}
}
