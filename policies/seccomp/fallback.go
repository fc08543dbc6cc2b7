package seccomp

import (
	"slices"
	"strings"

	"advisor/trace"
)

// unseen are calls that a recording may miss although the workload needs them:
// the vDSO answers in user space until the clock source or the machine
// changes, then libc makes the real call (vdso(7)).
const unseen = "clock_getres clock_getres_time64 clock_gettime clock_gettime64 getcpu " +
	"getrandom gettimeofday time"

// rare are calls that every process may make and that short recordings miss:
// the end of a process or thread, the return from a signal, a restarted sleep,
// and what libc does in each new thread.
const rare = "exit exit_group restart_syscall rseq rt_sigreturn set_robust_list sigreturn"

// fallback says what libc calls where the kernel, or a filter, answers ENOSYS
// to a newer call. A recording on a newer kernel sees only the newer one.
type fallback struct {
	newer string
	older string
}

// fallbacks are those of glibc 2.39, musl 1.2.5 and Go 1.22.
func fallbacks() []fallback {
	return []fallback{
		{"accept4", "accept"},
		{"clone3", "clone"},
		{"close_range", "close getdents64 openat"},
		{"copy_file_range", "lseek read write"},
		{"dup3", "dup2"},
		{"epoll_create1", "epoll_create"},
		{"epoll_pwait2", "epoll_pwait epoll_wait"},
		{"eventfd2", "eventfd"},
		{"execveat", "execve"},
		{"faccessat2", "faccessat fstatat64 newfstatat"},
		{"fchmodat2", "fchmodat openat"},
		{"inotify_init1", "inotify_init"},
		{"openat2", "openat"},
		{"pipe2", "pipe"},
		{"preadv2", "preadv"},
		{"prlimit64", "getrlimit setrlimit ugetrlimit"},
		{"pwritev2", "pwritev"},
		{"renameat2", "rename renameat"},
		{"signalfd4", "signalfd"},
		{"statx", "fstat fstat64 fstatat64 lstat lstat64 newfstatat stat stat64"},
	}
}

// olderThan lists the fallbacks of a call on an architecture. Those of the
// calls with 64 bits of time on 32-bit architectures follow from their names.
func olderThan(arch, name string) []string {
	var list []string
	for _, f := range fallbacks() {
		if f.newer == name {
			list = strings.Fields(f.older)
		}
	}
	for _, suffix := range [...]string{"_time64", "64"} {
		if base, ok := strings.CutSuffix(name, suffix); ok && is32Time(name) {
			list = append(list, base)
			break
		}
	}
	return slices.DeleteFunc(list, func(n string) bool {
		_, ok := trace.SyscallNumber(arch, n)
		return !ok
	})
}

// is32Time tells the calls that 32-bit architectures got in Linux 5.1 for the
// year 2038 from those whose 64 means something else.
func is32Time(name string) bool {
	switch name {
	case "clock_gettime64", "clock_settime64", "clock_adjtime64", "timer_gettime64",
		"timer_settime64", "timerfd_gettime64", "timerfd_settime64":
		return true
	}
	return strings.HasSuffix(name, "_time64")
}
