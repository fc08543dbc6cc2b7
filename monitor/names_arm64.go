package monitor

import "golang.org/x/sys/unix"

// namespaceCalls are the calls after which a task may be in another container.
func namespaceCalls() []int { return []int{unix.SYS_UNSHARE, unix.SYS_SETNS} }

// compatNamespaceCalls are the same of arm, with the numbers of bpf/kernel.h.
func compatNamespaceCalls() []int { return []int{337, 375} }

// asideCalls are the calls kept apart from the others, in the order of enum
// aside in bpf/state.h.
func asideCalls() []int {
	return append(namespaceCalls(), unix.SYS_SECCOMP, unix.SYS_PRCTL)
}

// archName is the audit architecture of one of the kernel's system call tables.
func archName(arch uint8) string {
	if arch == archCompat {
		return "arm"
	}
	return "aarch64"
}
