package strace

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"advisor/trace"
)

// open are flags of open, as strace has them: the mode of access first, without
// what a 64-bit program need not say.
func (p *printer) open(n uint64) string {
	access := [...]string{"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"}[n&3]
	n &^= 3
	const dsync, sync = 0x1000, 0x101000
	var synced string
	switch {
	case n&sync == sync:
		n, synced = n&^sync, "|O_SYNC"
	case n&dsync == dsync:
		n, synced = n&^dsync, "|O_DSYNC"
	}
	list := p.opening()
	const directory = "O_DIRECTORY" // the last of all, by strace's order
	for _, c := range list {
		if c.name == directory && n&c.value != 0 && !strings.Contains(bits(n, list, ""), "O_TMPFILE") {
			n, synced = n&^c.value, synced+"|"+directory
		}
	}
	if n == 0 {
		return access + synced
	}
	return access + "|" + bits(n, list, "") + synced
}

// opening are the flags of open, with one that libc sets in silence on 32-bit
// systems, and the kernel gives back.
func (p *printer) opening() []constant {
	large := constant{0x8000, "O_LARGEFILE"}
	if p.last.Arch == trace.ArchAarch64 {
		large.value = 0x20000
	}
	list := append([]constant{large}, p.tables["O_"]...)
	slices.SortStableFunc(list, func(a, b constant) int { return cmp.Compare(a.value, b.value) })
	return list
}

func (p *printer) atFlags(n uint64) string {
	n &= 0xffffffff
	// One bit has two names: of unlinkat and of faccessat.
	if n&0x200 != 0 {
		name := "AT_REMOVEDIR"
		if strings.HasPrefix(p.last.Syscall, "faccessat") {
			name = "AT_EACCESS"
		}
		if n == 0x200 {
			return name
		}
		return name + "|" + p.atFlags(n&^0x200)
	}
	return p.flags("AT_", n, "0")
}

func accessMode(n uint64) string {
	if n == 0 {
		return "F_OK"
	}
	var names []string
	for _, bit := range []struct {
		value uint64
		name  string
	}{{4, "R_OK"}, {2, "W_OK"}, {1, "X_OK"}} {
		if n&bit.value != 0 {
			names = append(names, bit.name)
		}
	}
	if rest := n & 0xfffffff8; rest != 0 {
		names = append(names, hex(rest))
	}
	return strings.Join(names, "|")
}

// node is a mode with the kind of file in it.
func (p *printer) node(n uint64) string {
	kinds := map[uint64]string{
		0o140000: "S_IFSOCK", 0o120000: "S_IFLNK", 0o100000: "S_IFREG", 0o060000: "S_IFBLK",
		0o040000: "S_IFDIR", 0o020000: "S_IFCHR", 0o010000: "S_IFIFO",
	}
	name, ok := kinds[n&0o170000]
	if !ok {
		return octal(n & 0xffffffff)
	}
	return name + "|" + octal(n&0o7777)
}

func (p *printer) socketType(n uint64) string {
	if p.last.Syscall == "accept4" {
		return strings.TrimPrefix(socketFlags(n), "|")
	}
	return p.one("SOCK_", n&0xf) + strings.TrimSuffix(socketFlags(n), "0")
}

func socketFlags(n uint64) string {
	text := ""
	if n&0x80000 != 0 {
		text += "|SOCK_CLOEXEC"
	}
	if n&0x800 != 0 {
		text += "|SOCK_NONBLOCK"
	}
	if text == "" {
		return "0"
	}
	return text
}

// protocol of IPv4 and IPv6 has a name.
func protocol(family, n uint64) string {
	names := map[uint64]string{0: "IPPROTO_IP", 1: "IPPROTO_ICMP", 6: "IPPROTO_TCP", 17: "IPPROTO_UDP",
		58: "IPPROTO_ICMPV6", 132: "IPPROTO_SCTP", 255: "IPPROTO_RAW"}
	if name, ok := names[n]; ok && (uint32(family) == 2 || uint32(family) == 10) {
		return name
	}
	return fmt.Sprint(int32(n))
}

// clone has the signal for the parent in its lowest byte.
func (p *printer) clone(n uint64) string {
	if n&0xff == 0 {
		return p.flags("CLONE_", n, "0")
	}
	if n&^0xff == 0 {
		return p.signal(n)
	}
	return p.flags("CLONE_", n&^0xff, "0") + "|" + p.signal(n&0xff)
}

func (p *printer) signal(n uint64) string {
	if n >= 32 {
		return fmt.Sprintf("SIGRT_%d", n-32)
	}
	for _, c := range p.tables["SIG"] {
		if c.value == n {
			return c.name
		}
	}
	return fmt.Sprint(n)
}
