package proof

import (
	"slices"
	"strings"

	"advisor/policies"
	"advisor/trace"
)

// measured is what one version of a runtime was seen to call between loading
// the filter and the workload's execve, in run and exec, over at least 60
// starts (task->seccomp.mode == 2; x86_64, kernel 6.18). With no_new_privs the
// filter is loaded last.
type measured struct {
	version     string
	late, early string // with no_new_privs, and without
}

// runcs are the versions of runc that were measured.
func runcs() []measured {
	const (
		privileges = "capget capset getpid getppid prctl setgid setgroups setuid "
		files      = "chdir close faccessat2 fchown fcntl fstat fstatfs getdents64 newfstatat openat read write "
		rest       = "epoll_ctl execve futex "
		since12    = "close_range faccessat getcwd openat2 statx tgkill uname "
		late12     = "close execve fcntl fstat fstatfs getdents64 getpid openat openat2 statx write futex rt_sigreturn"
		late11     = "close epoll_ctl execve fstatfs getdents64 getpid openat write futex rt_sigreturn"
	)
	early := privileges + files + rest
	return []measured{
		{"1.0.3", "execve getpid", early},
		{"1.1.5", late11, early + "getcwd"},
		{"1.1.15", late11 + " fcntl", early + "getcwd"},
		{"1.2.9", late12, early + since12},
		{"1.3.6", late12, early + since12},
		{"1.4.3", late12, early + since12},
		{"1.5.1", late12, early + since12},
	}
}

// crun 1.8.1. In either state exec loads the filter first, and has both of the
// first two lists; create waits for start in pselect6.
const (
	crunLate  = "close execve prctl rt_sigaction rt_sigprocmask setresgid setresuid write capset"
	crunExec  = "fchown ioctl openat read setgroups statx"
	crunEarly = "pselect6"
)

// anyGo are calls that Go's runtime makes whenever it likes, in runc too: a
// thread, a garbage collection, a preemption.
const anyGo = "clone epoll_pwait exit futex gettid getpid madvise mmap mprotect munmap nanosleep " +
	"rt_sigaction rt_sigprocmask rt_sigreturn sched_getaffinity sched_yield sigaltstack tgkill"

// runtimeCalls are the calls of the runtimes in question, as far as the host
// has them.
func (p *proof) runtimeCalls() []string {
	var names []string
	for _, runtime := range p.runtimes() {
		family, version, _ := strings.Cut(runtime, " ")
		if family == "crun" {
			names = append(names, strings.Fields(crunLate+" "+crunExec)...)
			if !p.late() {
				names = append(names, strings.Fields(crunEarly)...)
			}
			continue
		}
		names = append(names, strings.Fields(anyGo)...)
		for _, m := range nearest(version) {
			names = append(names, strings.Fields(m.late)...)
			if !p.late() {
				names = append(names, strings.Fields(m.early)...)
			}
		}
	}
	for _, m := range on(p.host) {
		if m.wide || !p.ranBy(m) {
			continue
		}
		for _, name := range names {
			names = append(names, strings.Fields(small()[name])...)
		}
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return !slices.ContainsFunc(on(p.host), func(m machine) bool {
			_, has := trace.SyscallNumber(m.audit, name)
			return has && (m.audit == p.host || p.ranBy(m))
		})
	})
}

// ranBy tells whether a runtime was a program of that architecture.
func (p *proof) ranBy(m machine) bool {
	return slices.ContainsFunc(p.Facts.Syscalls, func(s policies.Syscall) bool {
		return s.Arch == m.audit && s.Phase == trace.PhaseStart
	})
}

// small are the names under which runtimes of 32 bits make those calls: arm and
// i386 had numbers for 16-bit ids, 32-bit offsets and 32-bit times first
// (arch/arm/tools/syscall.tbl). Go before 1.17 and musl stat by path.
func small() map[string]string {
	return map[string]string{
		"setuid": "setuid32", "setgid": "setgid32", "setgroups": "setgroups32", "fchown": "fchown32",
		"setresuid": "setresuid32", "setresgid": "setresgid32",
		"fcntl": "fcntl64", "fstat": "fstat64", "fstatfs": "fstatfs64", "mmap": "mmap2",
		"newfstatat": "fstatat64 stat64 lstat64",
		"futex":      "futex_time64", "pselect6": "pselect6_time64",
	}
}

// nearest is the newest measured version that is not newer than the given one,
// all of them without one.
func nearest(version string) []measured {
	list := runcs()
	if version == "" {
		return list
	}
	for len(list) > 1 && !older(list[len(list)-1].version, version) {
		list = list[:len(list)-1]
	}
	return list[len(list)-1:]
}

// runtimes are the one asked for, those that the containers were run by, or
// both.
func (p *proof) runtimes() []string {
	if r := p.Asked.Runtime; strings.HasPrefix(r, "runc") || strings.HasPrefix(r, "crun") {
		return []string{r}
	}
	var list []string
	for _, c := range p.Facts.Containers {
		family, _, _ := strings.Cut(c.OCI, " ")
		if family != "runc" && family != "crun" {
			return []string{"runc", "crun"}
		}
		list = append(list, family)
	}
	if len(list) == 0 {
		return []string{"runc", "crun"}
	}
	return list
}

// late tells whether the workload always runs with no_new_privs.
func (p *proof) late() bool {
	if p.Asked.NoNewPrivileges != nil {
		return *p.Asked.NoNewPrivileges
	}
	for _, c := range p.Facts.Containers {
		if c.Granted == nil || c.Granted.NoNewPrivileges == nil || !*c.Granted.NoNewPrivileges {
			return false
		}
	}
	return len(p.Facts.Containers) > 0
}
