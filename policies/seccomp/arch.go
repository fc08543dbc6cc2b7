package seccomp

import (
	"slices"

	"advisor/trace"
)

// Arch is an architecture as the formats spell it.
type Arch string

// The architectures whose calls are known here.
const (
	X8664   Arch = "SCMP_ARCH_X86_64"
	X86     Arch = "SCMP_ARCH_X86"
	X32     Arch = "SCMP_ARCH_X32"
	AArch64 Arch = "SCMP_ARCH_AARCH64"
	Arm     Arch = "SCMP_ARCH_ARM"

	// Native is the host's architecture, in SeccompProfile objects only.
	Native Arch = "SCMP_ARCH_NATIVE"
)

// abi is what is known of one architecture. The audit values are those of
// include/uapi/linux/audit.h.
type abi struct {
	token Arch
	audit string // as in traces
	short string // libseccomp's and Docker's word
	value uint32 // AUDIT_ARCH_…
	// base is what numbers have in front in seccomp_data (x32: bit 30).
	base uint32
	host string // audit architecture of the kernels that run it
}

const x32Bit = 0x40000000

var abis = [...]abi{
	{X8664, trace.ArchX8664, "amd64", 0xc000003e, 0, trace.ArchX8664},
	{X86, trace.ArchI386, "x86", 0x40000003, 0, trace.ArchX8664},
	{X32, trace.ArchX32, "x32", 0xc000003e, x32Bit, trace.ArchX8664},
	{AArch64, trace.ArchAarch64, "arm64", 0xc00000b7, 0, trace.ArchAarch64},
	{Arm, trace.ArchArm, "arm", 0x40000028, 0, trace.ArchAarch64},
}

// foreign are tokens that runtimes take and whose calls are not known here
// (OCI runtime specification 1.3, config-linux.md, "Seccomp").
var foreign = [...]Arch{
	"SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32",
	"SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32",
	"SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE",
	"SCMP_ARCH_S390", "SCMP_ARCH_S390X", "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64",
	"SCMP_ARCH_RISCV64", "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K",
	"SCMP_ARCH_SH", "SCMP_ARCH_SHEB",
}

func (a Arch) known() bool {
	_, ok := abiOf(a)
	return ok || slices.Contains(foreign[:], a)
}

func abiOf(token Arch) (abi, bool) {
	for _, a := range abis {
		if a.token == token {
			return a, true
		}
	}
	return abi{}, false
}

func abiByAudit(audit string) (abi, bool) {
	for _, a := range abis {
		if a.audit == audit {
			return a, true
		}
	}
	return abi{}, false
}

// Token is the architecture of a trace in the formats' word, "" if unknown.
func Token(audit string) Arch {
	a, _ := abiByAudit(audit)
	return a.token
}

// onHost lists the architectures that a host's kernel runs, native first.
func onHost(host string) []abi {
	var list []abi
	for _, a := range abis {
		if a.host == host {
			list = append(list, a)
		}
	}
	return list
}
