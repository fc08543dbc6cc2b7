package strace

import (
	"fmt"
	"strings"

	"advisor/trace"
)

// constant is a value and its name.
type constant struct {
	value uint64
	name  string
}

// tablesOf are the constants of an architecture by what their names begin with.
// Few differ: those of open.
func tablesOf(arch string) map[string][]constant {
	if arch == trace.ArchAarch64 || arch == trace.ArchArm {
		return constantsARM64()
	}
	return constantsAMD64()
}

type printer struct {
	last   *trace.Last
	tables map[string][]constant
}

// narrow tells the architectures whose registers have 32 bits.
func narrow(arch string) bool { return arch == trace.ArchArm || arch == trace.ArchI386 }

// arguments writes all of them; a number may be in two registers.
func (p *printer) arguments(kinds string) []string {
	args := make([]string, 0, 6)
	at := 0
	for _, kind := range []byte(kinds) {
		if kind == 'W' && p.last.Arch == trace.ArchArm {
			at += at & 1
		}
		pair := strings.IndexByte("WUB", kind) >= 0
		if at >= len(p.last.Args) || pair && at+1 >= len(p.last.Args) {
			break
		}
		if pair {
			args = append(args, p.pair(at, kind))
			at += 2
			continue
		}
		if text, there := p.argument(at, kind); there {
			args = append(args, text)
		}
		at++
	}
	return args
}

// pair is a number of 64 bits in two registers.
func (p *printer) pair(at int, kind byte) string {
	low, high := p.last.Args[at], p.last.Args[at+1]
	if kind == 'B' {
		low, high = high, low
	}
	return fmt.Sprint(int64(high<<32 | low&0xffffffff))
}

// argument writes argument i; false where strace leaves it out.
func (p *printer) argument(i int, kind byte) (text string, there bool) {
	n := p.last.Args[i]
	switch kind {
	case 'd':
		return fmt.Sprint(int32(n)), true
	case 'u':
		return fmt.Sprint(uint32(n)), true
	case 'l':
		if narrow(p.last.Arch) {
			n = uint64(int32(n))
		}
		return fmt.Sprint(int64(n)), true
	case 'G':
		return hex(n * 4096), true
	case 'z':
		return p.size(i, n), true
	case 'x':
		return hex(n), true
	case 'p':
		return pointer(n), true
	case 's', 'A':
		return p.text(i), true
	case 'D':
		return p.directory(n), true
	case 'M', 'k', 'q':
		return p.dependent(i, kind)
	}
	return p.named(i, kind), true
}

// size is a number of 64 bits; the address that mmap may be given is one.
func (p *printer) size(i int, n uint64) string {
	if i == 0 {
		return pointer(n)
	}
	return fmt.Sprint(n)
}

func hex(n uint64) string {
	if n == 0 {
		return "0"
	}
	return fmt.Sprintf("%#x", n)
}

func pointer(n uint64) string {
	if n == 0 {
		return "NULL"
	}
	return fmt.Sprintf("%#x", n)
}

// text is what was read behind the pointer, else the pointer.
func (p *printer) text(i int) string {
	for _, t := range p.last.Texts {
		switch {
		case t.Index != i:
		case t.Socket:
			return t.Value
		case t.Cut:
			return `"` + t.Value + `"...`
		default:
			return `"` + t.Value + `"`
		}
	}
	return pointer(p.last.Args[i])
}

func (p *printer) directory(n uint64) string {
	if int32(n) == -100 {
		return "AT_FDCWD"
	}
	return fmt.Sprint(int32(n))
}

// dependent is an argument that has a meaning only with the one before it.
func (p *printer) dependent(i int, kind byte) (string, bool) {
	n, before := p.last.Args[i], p.last.Args[i-1]
	switch kind {
	case 'M': // O_CREAT, and O_TMPFILE without O_DIRECTORY
		return octal(n), before&0x40 != 0 || before&0x400000 != 0
	case 'k':
		device := before&0o170000 == 0o020000 || before&0o170000 == 0o060000
		return fmt.Sprintf("makedev(%#x, %#x)", n>>8&0xfff, n&0xff|n>>12&0xfff00), device
	}
	switch p.one("F_", before) {
	case "F_GETFD", "F_GETFL", "F_GETSIG", "F_GETOWN", "F_GETLEASE", "F_GETPIPE_SZ":
		return "", false
	case "F_SETFD":
		if n == 1 {
			return "FD_CLOEXEC", true
		}
	case "F_DUPFD", "F_DUPFD_CLOEXEC", "F_SETPIPE_SZ", "F_SETOWN":
		return fmt.Sprint(int32(n)), true
	case "F_SETFL":
		return p.open(n), true
	}
	return hex(n), true
}

// named is an argument of names.
func (p *printer) named(i int, kind byte) string {
	n := p.last.Args[i]
	switch kind {
	case 'm':
		return octal(n & 0xffffffff)
	case 'N':
		return p.node(n)
	case 'O':
		return p.open(n & 0xffffffff)
	case 'a':
		return p.atFlags(n)
	case 'r':
		return accessMode(n)
	case 'P':
		return p.flags("PROT_", n, "PROT_NONE")
	case 'F':
		return p.flags("MAP_", n, "0")
	case 'f':
		return p.one("AF_", n&0xffffffff)
	case 't':
		return p.socketType(n & 0xffffffff)
	case 'i':
		return protocol(p.last.Args[0], n)
	}
	return p.more(n, kind)
}

func (p *printer) more(n uint64, kind byte) string {
	switch kind {
	case 'c':
		return p.clone(n)
	case 'S':
		return p.signal(n)
	case 'h':
		if n < 3 {
			return [...]string{"SIG_BLOCK", "SIG_UNBLOCK", "SIG_SETMASK"}[n]
		}
	case 'C':
		return p.one("F_", n&0xffffffff)
	case 'o':
		return p.one("PR_", n&0xffffffff)
	case 'e':
		return p.one("EPOLL_C", n&0xffffffff)
	case 'w':
		return p.one("SEEK_", n&0xffffffff)
	case 'v':
		return p.one("MADV_", n&0xffffffff)
	case 'R':
		return bits(n, []constant{{1, "RENAME_NOREPLACE"}, {2, "RENAME_EXCHANGE"}, {4, "RENAME_WHITEOUT"}}, "0")
	case 'n':
		return p.flags("MS_", n, "0")
	}
	return hex(n)
}

// one is the constant of that value, else the value.
func (p *printer) one(prefix string, n uint64) string {
	for _, c := range p.tables[prefix] {
		if c.value == n {
			return c.name
		}
	}
	return hex(n)
}

// flags are the names of the bits, and what is left of them.
func (p *printer) flags(prefix string, n uint64, none string) string {
	return bits(n, p.tables[prefix], none)
}

func bits(n uint64, list []constant, none string) string {
	if n == 0 {
		return none
	}
	var names []string
	for _, c := range list {
		if c.value != 0 && n&c.value == c.value && !contained(c.value, list, n) {
			names = append(names, c.name)
		}
	}
	for _, c := range list {
		if c.value != 0 && n&c.value == c.value {
			n &^= c.value
		}
	}
	if n != 0 {
		names = append(names, hex(n))
	}
	return strings.Join(names, "|")
}

// contained says that a wider constant, all of whose bits are set, has these.
func contained(value uint64, list []constant, n uint64) bool {
	for _, c := range list {
		if c.value != value && c.value&value == value && n&c.value == c.value {
			return true
		}
	}
	return false
}

func octal(n uint64) string { return fmt.Sprintf("%#03o", n) }
