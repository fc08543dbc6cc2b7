package proof

import (
	"fmt"

	"advisor/trace"
)

// What a filter returns (include/uapi/linux/seccomp.h).
const (
	retKillProcess uint32 = 0x80000000
	retKillThread  uint32 = 0x00000000
	retTrap        uint32 = 0x00030000
	retErrno       uint32 = 0x00050000
	retNotify      uint32 = 0x7fc00000
	retTrace       uint32 = 0x7ff00000
	retLog         uint32 = 0x7ffc0000
	retAllow       uint32 = 0x7fff0000

	eperm, enosys = 1, 38
	greatestErrno = 4095 // what the kernel cuts greater ones to

	refuseEPERM  = retErrno | eperm
	refuseENOSYS = retErrno | enosys
)

// returnValue is what an action of the formats makes a filter return. The data
// counts with ERRNO and TRACE only.
func returnValue(action string, data uint32) (uint32, bool) {
	switch action {
	case "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD":
		return retKillThread, true
	case "SCMP_ACT_KILL_PROCESS":
		return retKillProcess, true
	case "SCMP_ACT_TRAP":
		return retTrap, true
	case "SCMP_ACT_ERRNO":
		return retErrno | data&0xffff, true
	case "SCMP_ACT_NOTIFY":
		return retNotify, true
	case "SCMP_ACT_TRACE":
		return retTrace | data&0xffff, true
	case "SCMP_ACT_LOG":
		return retLog, true
	case "SCMP_ACT_ALLOW":
		return retAllow, true
	}
	return 0, false
}

// word is a return value for people.
func word(ret uint32) string {
	data := ret & 0xffff
	switch ret &^ 0xffff {
	case retKillProcess:
		return "KILL_PROCESS"
	case retKillThread:
		return "KILL_THREAD"
	case retTrap:
		return "TRAP"
	case retErrno:
		return "ERRNO " + trace.ErrnoName(int(min(data, greatestErrno)))
	case retNotify:
		return "NOTIFY"
	case retTrace:
		return fmt.Sprintf("TRACE %d", data)
	case retLog:
		return "LOG"
	case retAllow:
		return "ALLOW"
	}
	return fmt.Sprintf("%#x", ret)
}

// machine is an architecture of programs on a host (linux/audit.h, seccomp.h).
type machine struct {
	audit   string // as in traces
	token   string // as in profiles
	short   string // as in Docker's conditions
	value   uint32 // AUDIT_ARCH_…
	library uint32 // libseccomp's token
	base    uint32 // in front of its numbers
	wide    bool   // filters compare 64 bits
	host    string
}

// bitX32 marks the numbers of x32 (asm/unistd.h, __X32_SYSCALL_BIT).
const bitX32 = 1 << 30

func machines() []machine {
	return []machine{
		{trace.ArchX8664, "SCMP_ARCH_X86_64", "amd64", 0xc000003e, 0xc000003e, 0, true, trace.ArchX8664},
		{trace.ArchI386, "SCMP_ARCH_X86", "x86", 0x40000003, 0x40000003, 0, false, trace.ArchX8664},
		{trace.ArchX32, "SCMP_ARCH_X32", "x32", 0xc000003e, 0x4000003e, bitX32, false, trace.ArchX8664},
		{trace.ArchAarch64, "SCMP_ARCH_AARCH64", "arm64", 0xc00000b7, 0xc00000b7, 0, true, trace.ArchAarch64},
		{trace.ArchArm, "SCMP_ARCH_ARM", "arm", 0x40000028, 0x40000028, 0, false, trace.ArchAarch64},
	}
}

// on lists the architectures that a host's kernel runs, its own first.
func on(host string) []machine {
	var list []machine
	for _, m := range machines() {
		if m.host == host {
			list = append(list, m)
		}
	}
	return list
}

// numbered is the machine of a recorded call.
func numbered(audit string) (machine, bool) {
	for _, m := range machines() {
		if m.audit == audit {
			return m, true
		}
	}
	return machine{}, false
}
