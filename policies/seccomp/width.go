package seccomp

import "slices"

// ints says which arguments of a call the kernel reads as 32 bits: the places
// of int, unsigned int and narrower parameters in its SYSCALL_DEFINE line
// (Linux 6.12), and of flags that it cuts to 32 bits itself (clone:
// kernel/fork.c, lower_32_bits). Only calls that filters test arguments of are
// listed. A comparison of all 64 bits of such an argument can be evaded, or
// missed, through the upper half.
func ints(name string) []int {
	switch name {
	case "arch_prctl", "clone", "epoll_create1", "inotify_init1", "io_uring_setup", "keyctl",
		"memfd_secret", "personality", "prctl", "userfaultfd":
		return []int{0}
	case "eventfd2", "fcntl", "fcntl64", "ioctl", "kill", "landlock_restrict_self", "listen",
		"seccomp", "setns", "shutdown", "tkill":
		return []int{0, 1}
	case "dup3", "fsmount", "getsockopt", "setpriority", "socket", "socketpair", "tgkill":
		return []int{0, 1, 2}
	case "fsopen", "memfd_create", "pipe2":
		return []int{1}
	case "madvise":
		return []int{2}
	case "open":
		return []int{1, 2}
	case "accept4":
		return []int{0, 3}
	case "bpf":
		return []int{0, 2}
	case "fsconfig":
		return []int{0, 1, 4}
	case "setsockopt":
		return []int{0, 1, 2, 4}
	case "futex_waitv":
		return []int{1, 2, 4}
	case "openat":
		return []int{0, 2, 3}
	}
	return nil
}

// intWide tells whether the kernel reads an argument as 32 bits.
func intWide(name string, index int) bool { return slices.Contains(ints(name), index) }
