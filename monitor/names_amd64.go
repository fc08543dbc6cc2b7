package monitor

import "golang.org/x/sys/unix"

// namespaceCalls are the calls after which a task may be in another container.
func namespaceCalls() []int { return []int{unix.SYS_UNSHARE, unix.SYS_SETNS} }

// compatNamespaceCalls are the same of i386, with the numbers of bpf/kernel.h.
func compatNamespaceCalls() []int { return []int{310, 346} }

// asideCalls are the calls kept apart from the others, in the order of enum
// aside in bpf/state.h.
func asideCalls() []int {
	return append(namespaceCalls(), unix.SYS_SECCOMP, unix.SYS_PRCTL)
}

// archName is the audit architecture of one of the kernel's system call tables.
func archName(arch uint8) string {
	switch arch {
	case archCompat:
		return "i386"
	case archX32:
		return "x32"
	}
	return "x86_64"
}
