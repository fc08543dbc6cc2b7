package trace

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

//go:generate go run ./internal/gen -o .

// Audit architectures that the tables know, as they stand in [Syscall.Arch].
const (
	ArchX8664   = "x86_64"
	ArchI386    = "i386"
	ArchX32     = "x32"
	ArchAarch64 = "aarch64"
	ArchArm     = "arm"
)

// entry is a number and its name in a table sorted by number.
type entry struct {
	nr   int
	name string
}

// table is a list of names with an order by number and one by name.
type table struct {
	byNumber []entry
	byName   []uint16 // places in byNumber
}

// Archs are the architectures that the tables know, sorted.
func Archs() []string {
	return []string{ArchAarch64, ArchArm, ArchI386, ArchX32, ArchX8664}
}

func syscallTable(arch string) table {
	switch arch {
	case ArchX8664:
		return table{syscallsX8664[:], syscallsX8664ByName[:]}
	case ArchI386:
		return table{syscallsI386[:], syscallsI386ByName[:]}
	case ArchX32:
		return table{syscallsX32[:], syscallsX32ByName[:]}
	case ArchAarch64:
		return table{syscallsAarch64[:], syscallsAarch64ByName[:]}
	case ArchArm:
		return table{syscallsArm[:], syscallsArmByName[:]}
	}
	return table{}
}

func (t table) name(nr int) string {
	i, ok := slices.BinarySearchFunc(t.byNumber, nr, func(e entry, nr int) int {
		return cmp.Compare(e.nr, nr)
	})
	if !ok {
		return ""
	}
	return t.byNumber[i].name
}

func (t table) number(name string) (int, bool) {
	i, ok := slices.BinarySearchFunc(t.byName, name, func(at uint16, name string) int {
		return strings.Compare(t.byNumber[at].name, name)
	})
	if !ok {
		return 0, false
	}
	return t.byNumber[t.byName[i]].nr, true
}

func (t table) names() []string {
	list := make([]string, len(t.byName))
	for i, at := range t.byName {
		list[i] = t.byNumber[at].name
	}
	return list
}

// SyscallName is the name of call nr of an audit architecture, "" where no
// table knows it. Numbers of x32 are without bit 30.
func SyscallName(arch string, nr int) string { return syscallTable(arch).name(nr) }

// SyscallNumber is the number of the call of that name, if arch has one.
func SyscallNumber(arch, name string) (int, bool) { return syscallTable(arch).number(name) }

// Syscalls are the names of an architecture's calls, sorted.
func Syscalls(arch string) []string { return syscallTable(arch).names() }

// armPrivate is where the numbers begin that 32-bit ARM keeps for itself.
const armPrivate = 0xf0000

// MaxSyscall is the highest number in the table of an architecture, leaving out
// 32-bit ARM's private calls from 983041 on; -1 where there is no table.
func MaxSyscall(arch string) int {
	for _, e := range slices.Backward(syscallTable(arch).byNumber) {
		if e.nr < armPrivate {
			return e.nr
		}
	}
	return -1
}

func capabilityTable() table { return table{capabilities[:], capabilitiesByName[:]} }

// CapabilityName is the name of a capability without "CAP_", "" where no table
// knows the number.
func CapabilityName(nr int) string { return capabilityTable().name(nr) }

// CapabilityNumber is the number of a capability. The name may be in any case
// and begin with "CAP_", as the runtimes take it.
func CapabilityNumber(name string) (int, bool) {
	return capabilityTable().number(strings.TrimPrefix(strings.ToUpper(name), "CAP_"))
}

// Capabilities are all capabilities without "CAP_", sorted by name.
func Capabilities() []string { return capabilityTable().names() }

func errnoTable() table { return table{errnos[:], errnosByName[:]} }

// ErrnoName is the name of a Linux errno value (as a positive number) on x86
// and ARM, whatever system this runs on; the number in decimal where it has no name.
func ErrnoName(errno int) string {
	if name := errnoTable().name(errno); name != "" {
		return name
	}
	return strconv.Itoa(errno)
}

// ErrnoNumber is the value of an errno's name on x86 and ARM.
func ErrnoNumber(name string) (int, bool) {
	switch name {
	case "EWOULDBLOCK":
		name = "EAGAIN"
	case "EDEADLOCK":
		name = "EDEADLK"
	case "ENOTSUP":
		name = "EOPNOTSUPP"
	}
	return errnoTable().number(name)
}
