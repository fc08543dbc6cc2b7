package seccomp

import (
	"slices"
	"strings"
)

// floor is what a runtime calls between loading the filter and the workload's
// execve: measured with a seccomp filter in force on the calling task, as uid 0
// and another, over 60 starts each. Only the order of the ranges matters.
type floor struct {
	runtime string
	from    string // first version it was measured for
	before  string // first version it no longer holds for; empty: none yet
	nnp     bool   // with no_new_privs the filter is loaded as late as possible
	names   string
}

const (
	// runcFloor is common to all of runc without no_new_privs.
	runcFloor = "capget capset chdir close epoll_ctl execve faccessat2 fchown fcntl fstat " +
		"fstatfs futex getdents64 getpid getppid newfstatat openat prctl read setgid " +
		"setgroups setuid write"
	// crunFloor is common to all of crun.
	crunFloor = "capset close execve fchown ioctl openat prctl read rt_sigaction " +
		"rt_sigprocmask setgroups setresgid setresuid statx write"
	// goJitter is what the Go runtime may call at any moment: garbage
	// collection, preemption, new threads. Starts under exactly the observed
	// calls failed about once in 200; with these, never in 1080.
	goJitter = "clone epoll_pwait exit futex gettid getpid madvise mmap mprotect munmap " +
		"nanosleep rt_sigaction rt_sigprocmask rt_sigreturn sched_getaffinity sched_yield " +
		"sigaltstack tgkill"
)

// floors has every range of versions that was measured: runc 1.0.3, 1.1.5,
// 1.1.15, 1.2.9, 1.3.6, 1.4.3 and 1.5.1, crun 1.8.1; both run and exec, on
// x86_64. Older versions get the oldest that was. On aarch64 runc 1.1.5 and crun
// 1.8.1 were, a few starts each in an emulated machine (fixtures/vm): they call
// nothing else there. The same sources make the same calls, each of which aarch64
// has under the same name.
func floors() []floor {
	return []floor{
		{Runc, "0", "1.1", true, "execve getpid"},
		{Runc, "1.1", "1.1.15", true, "close epoll_ctl execve fstatfs futex getdents64 getpid " +
			"openat rt_sigreturn write"},
		{Runc, "1.1.15", "1.2", true, "close epoll_ctl execve fcntl fstatfs futex getdents64 " +
			"getpid openat rt_sigreturn write"},
		{Runc, "1.2", "", true, "close execve fcntl fstat fstatfs futex getdents64 getpid openat " +
			"openat2 rt_sigreturn statx write"},
		{Runc, "0", "1.1", false, runcFloor},
		{Runc, "1.1", "1.2", false, runcFloor + " getcwd"},
		{Runc, "1.2", "", false, runcFloor + " close_range faccessat getcwd openat2 statx " +
			"tgkill uname"},
		// An exec loads the filter as early with no_new_privs as without.
		{Crun, "0", "", true, crunFloor},
		// crun create waits for crun start in pselect6, with the filter in force.
		{Crun, "0", "", false, crunFloor + " pselect6"},
	}
}

// Floor is what a runtime itself calls under the filter, sorted. An empty
// version stands for all of them, so that an upgrade of a node breaks nothing.
// noNewPrivileges false gives what is needed in either state.
func Floor(runtime, version string, noNewPrivileges bool) []string {
	var names []string
	for _, f := range floors() {
		if f.runtime != runtime || noNewPrivileges && !f.nnp || !f.covers(version) {
			continue
		}
		names = append(names, strings.Fields(f.names)...)
	}
	if runtime == Runc {
		names = append(names, strings.Fields(goJitter)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Floor32 is the same of a runtime that is a 32-bit program: by the names that its
// calls have there. runc 1.1.5 and crun 1.8.1 of armhf were held against it.
func Floor32(runtime, version string, noNewPrivileges bool) []string {
	var names []string
	for _, name := range Floor(runtime, version, noNewPrivileges) {
		names = append(names, narrowNames(name)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// narrowNames are the calls of the floors that 32-bit C libraries and Go make in
// place of one: for ids of 32 bits, for files of more than 2 GiB, for the time after
// 2038 and, of older libraries, before it.
func narrowNames(name string) []string {
	switch name {
	case "fchown", "setgid", "setgroups", "setresgid", "setresuid", "setuid":
		return []string{name + "32"}
	case "fcntl", "fstat", "fstatfs":
		return []string{name + "64"}
	case "newfstatat":
		return []string{"fstatat64", "lstat64", "stat64"}
	case "mmap":
		return []string{"mmap2"}
	case "futex", "pselect6":
		return []string{name, name + "_time64"}
	}
	return []string{name}
}

// measuredFrom is the oldest version of a runtime that was measured.
func measuredFrom(runtime string) string {
	if runtime == Crun {
		return "1.8.1"
	}
	return "1.0.3"
}

func (f floor) covers(version string) bool {
	if version == "" {
		return true
	}
	return atLeast(version, f.from) && (f.before == "" || !atLeast(version, f.before))
}
