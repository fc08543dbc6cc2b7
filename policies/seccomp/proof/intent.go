package proof

import (
	"slices"
	"strings"
)

// anyProcess are calls that the kernel or libc make for any process: its end,
// the way out of a signal handler, an interrupted sleep, a new thread.
const anyProcess = "exit exit_group restart_syscall rseq rt_sigreturn set_robust_list sigreturn"

// vdso are the calls that the vDSO of Linux 6.11 answers (vdso(7)), with those
// for 64 bits of time on 32-bit architectures.
const vdso = "clock_getres clock_getres_time64 clock_gettime clock_gettime64 getcpu getrandom gettimeofday time"

// tried are calls that programs try without knowing whether the kernel has
// them, and do without where it says ENOSYS: those added to Linux since 3.15
// that libc, Go's runtime, the container runtimes or common libraries use.
func tried() []string {
	return []string{
		"renameat2",           // 3.15
		"getrandom",           // 3.17
		"copy_file_range",     // 4.5
		"preadv2", "pwritev2", // 4.6
		"statx",                                                 // 4.11
		"rseq",                                                  // 4.18
		"pidfd_send_signal",                                     // 5.1
		"io_uring_setup", "io_uring_enter", "io_uring_register", // 5.1
		"open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", // 5.2
		"fspick", "clone3", "pidfd_open", // 5.2, 5.3
		"openat2", "pidfd_getfd", // 5.6
		"faccessat2",                                // 5.8
		"close_range",                               // 5.9
		"process_madvise",                           // 5.10
		"epoll_pwait2",                              // 5.11
		"mount_setattr",                             // 5.12
		"landlock_create_ruleset",                   // 5.13
		"futex_waitv",                               // 5.16
		"cachestat",                                 // 6.5
		"fchmodat2",                                 // 6.6
		"futex_wake", "futex_wait", "futex_requeue", // 6.7
		"mseal", // 6.10
	}
}

// forbidden are calls that the kernel itself refuses with EPERM to a caller
// without a capability, by the capability that capabilities(7) names, or whose
// use a sysctl restricts that way. The mount calls since Linux 5.2 are tried.
func forbidden() map[string]string {
	return map[string]string{
		"SYS_ADMIN": "bpf fanotify_init lookup_dcookie mount nfsservctl perf_event_open pivot_root " +
			"quotactl quotactl_fd setdomainname sethostname setns swapoff swapon umount umount2 unshare",
		"SYS_BOOT":        "kexec_file_load kexec_load reboot",
		"SYS_CHROOT":      "chroot",
		"SYS_MODULE":      "delete_module finit_module init_module",
		"SYS_NICE":        "mbind migrate_pages move_pages set_mempolicy",
		"SYS_PACCT":       "acct",
		"SYS_PTRACE":      "kcmp process_vm_readv process_vm_writev ptrace userfaultfd",
		"SYS_RAWIO":       "ioperm iopl vm86 vm86old modify_ldt",
		"SYS_TIME":        "adjtimex clock_adjtime clock_adjtime64 clock_settime clock_settime64 settimeofday stime",
		"SYS_TTY_CONFIG":  "vhangup",
		"SYSLOG":          "syslog",
		"MKNOD":           "mknod mknodat",
		"DAC_READ_SEARCH": "name_to_handle_at open_by_handle_at",
		"keyrings":        "add_key keyctl request_key",
		"personality":     "personality",
	}
}

// intended is the answer that a call is owed which nothing lets pass.
func (p *proof) intended(name string, restricted bool) uint32 {
	switch p.Asked.Action {
	case "log":
		return retLog
	case "kill":
		if slices.Contains(tried(), name) && !restricted {
			return refuseENOSYS
		}
		return retKillProcess
	}
	switch {
	case p.Asked.SpeltOut && (name == "" || restricted):
		return refuseEPERM // what the format has as its default
	case restricted, name == "", slices.Contains(tried(), name):
		return refuseENOSYS
	case p.refused[name], mayNot(name):
		return refuseEPERM
	}
	return refuseENOSYS
}

func mayNot(name string) bool {
	for _, names := range forbidden() {
		if slices.Contains(strings.Fields(names), name) {
			return true
		}
	}
	return false
}

// fallbacksOf are the older calls that libc and the runtimes make where a call
// is missing (glibc 2.39 sysdeps/unix/sysv/linux, musl 1.2.5, Go 1.22).
func fallbacksOf(name string) []string {
	older := map[string]string{
		"accept4":         "accept",
		"clone3":          "clone",
		"close_range":     "close getdents64 openat", // through /proc/self/fd
		"copy_file_range": "lseek read write",
		"dup3":            "dup2",
		"epoll_create1":   "epoll_create",
		"epoll_pwait2":    "epoll_pwait epoll_wait",
		"eventfd2":        "eventfd",
		"execveat":        "execve",
		"faccessat2":      "faccessat fstatat64 newfstatat",
		"fchmodat2":       "fchmodat openat",
		"inotify_init1":   "inotify_init",
		"openat2":         "openat",
		"pipe2":           "pipe",
		"preadv2":         "preadv",
		"prlimit64":       "getrlimit setrlimit ugetrlimit",
		"pwritev2":        "pwritev",
		"renameat2":       "rename renameat",
		"signalfd4":       "signalfd",
		"statx":           "fstat fstat64 fstatat64 lstat lstat64 newfstatat stat stat64",
	}
	list := strings.Fields(older[name])
	if base, ok := strings.CutSuffix(name, "_time64"); ok {
		list = append(list, base)
	}
	switch name {
	case "clock_gettime64", "clock_settime64", "clock_adjtime64", "timer_gettime64",
		"timer_settime64", "timerfd_gettime64", "timerfd_settime64":
		list = append(list, strings.TrimSuffix(name, "64"))
	}
	return list
}
