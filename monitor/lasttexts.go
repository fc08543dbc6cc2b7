package monitor

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"

	"advisor/bpf"
	"advisor/trace"
)

// lastCall says which arguments of a call point to text, from 1; 0 is none. A
// struct last_call.
type lastCall struct{ First, Second, Address, Length uint8 }

// lastCalls are the calls that take paths and addresses. What they read or
// write, and the arguments of programs, are never looked at.
func lastCalls() map[string]lastCall {
	table := map[string]lastCall{
		"rename": {First: 1, Second: 2}, "renameat": {First: 2, Second: 4}, "renameat2": {First: 2, Second: 4},
		"link": {First: 1, Second: 2}, "linkat": {First: 2, Second: 4},
		"symlink": {First: 1, Second: 2}, "symlinkat": {First: 1, Second: 3},
		"mount": {First: 1, Second: 2}, "move_mount": {First: 2, Second: 4}, "pivot_root": {First: 1, Second: 2},
		"connect": {Address: 2, Length: 3}, "bind": {Address: 2, Length: 3}, "sendto": {Address: 5, Length: 6},
	}
	for at, names := range [][]string{
		{
			"open", "creat", "stat", "lstat", "access", "execve", "readlink", "mkdir", "rmdir", "unlink",
			"chmod", "chown", "lchown", "mknod", "truncate", "chdir", "chroot", "statfs", "utime", "utimes",
			"umount2", "swapon", "swapoff", "acct", "memfd_create", "setxattr", "lsetxattr", "getxattr",
			"lgetxattr", "listxattr", "llistxattr", "removexattr", "lremovexattr", "uselib",
			"chown32", "lchown32", "stat64", "lstat64", "statfs64", "truncate64",
		},
		{
			"openat", "openat2", "newfstatat", "faccessat", "faccessat2", "statx", "readlinkat", "execveat",
			"mkdirat", "mknodat", "unlinkat", "fchmodat", "fchmodat2", "fchownat", "utimensat", "futimesat",
			"fstatat64", "utimensat_time64", "inotify_add_watch", "name_to_handle_at", "open_tree",
		},
	} {
		for _, name := range names {
			table[name] = lastCall{First: uint8(at + 1)}
		}
	}
	return table
}

// lastTexts are what was read behind the arguments of a call.
func lastTexts(e *bpf.RecorderLast) []trace.Text {
	call := lastCalls()[trace.SyscallName(archName(e.Arch), int(e.Nr))]
	raw := text(e.Text[:])
	first := raw
	if call.Second != 0 {
		first = raw[:lastHalfText]
	}
	var list []trace.Text
	if call.First != 0 && e.Flags&lastFirst != 0 {
		list = append(list, pathText(call.First, first))
	}
	if call.Second != 0 && e.Flags&lastSecond != 0 {
		list = append(list, pathText(call.Second, raw[lastHalfText:]))
	}
	if call.Address != 0 && e.Flags&lastSocket != 0 {
		if value, ok := socketAddress(raw[:min(int(e.Length), len(raw))]); ok {
			list = append(list, trace.Text{Index: int(call.Address) - 1, Value: value, Socket: true})
		}
	}
	return list
}

// pathText is a string that ends with a zero, unless it was too long: then the
// zero is in the last byte there is room for.
func pathText(arg uint8, raw []byte) trace.Text {
	n := bytes.IndexByte(raw, 0)
	if n < 0 {
		n = len(raw)
	}
	limit := len(raw)
	if limit > lastHalfText {
		limit = len(bpf.RecorderLast{}.Text)
	}
	return trace.Text{Index: int(arg) - 1, Value: quote(raw[:n]), Cut: n == limit-1}
}

// quote escapes as strace does between its quotes: what is no printable ASCII
// in octal, with no more digits than are needed before what follows.
func quote(raw []byte) string {
	var out strings.Builder
	for i, c := range raw {
		switch {
		case strings.IndexByte("\"\\", c) >= 0:
			out.WriteString("\\" + string(rune(c)))
		case strings.IndexByte("\n\t\r\v\f", c) >= 0:
			out.WriteString("\\" + string("ntrvf"[strings.IndexByte("\n\t\r\v\f", c)]))
		case c >= ' ' && c < 0x7f:
			out.WriteByte(c)
		case i+1 < len(raw) && raw[i+1] >= '0' && raw[i+1] <= '9':
			fmt.Fprintf(&out, "\\%03o", c)
		default:
			fmt.Fprintf(&out, "\\%o", c)
		}
	}
	return out.String()
}

// socketAddress writes an address as strace does; false for a family that is
// left out. Sizes are those of a struct sockaddr_in and so on.
func socketAddress(raw []byte) (string, bool) {
	if len(raw) < 2 {
		return "", false
	}
	switch family := binary.NativeEndian.Uint16(raw); {
	case family == unix.AF_UNIX:
		return unixAddress(raw[2:]), true
	case family == unix.AF_INET && len(raw) >= 8:
		return fmt.Sprintf("{sa_family=AF_INET, sin_port=htons(%d), sin_addr=inet_addr(%q)}",
			binary.BigEndian.Uint16(raw[2:]), netip.AddrFrom4([4]byte(raw[4:8])).String()), true
	case family == unix.AF_INET6 && len(raw) >= 28:
		return fmt.Sprintf("{sa_family=AF_INET6, sin6_port=htons(%d), sin6_flowinfo=htonl(%d), "+
			"inet_pton(AF_INET6, %q, &sin6_addr), sin6_scope_id=%d}",
			binary.BigEndian.Uint16(raw[2:]), binary.BigEndian.Uint32(raw[4:]),
			netip.AddrFrom16([16]byte(raw[8:24])).String(), binary.NativeEndian.Uint32(raw[24:])), true
	case family == unix.AF_UNSPEC:
		return "{sa_family=AF_UNSPEC}", true
	case family == unix.AF_NETLINK && len(raw) >= 12:
		return fmt.Sprintf("{sa_family=AF_NETLINK, nl_pid=%d, nl_groups=%08x}",
			binary.NativeEndian.Uint32(raw[4:]), binary.NativeEndian.Uint32(raw[8:])), true
	}
	return "", false
}

func unixAddress(path []byte) string {
	if len(path) == 0 {
		return "{sa_family=AF_UNIX}"
	}
	if path[0] == 0 {
		return fmt.Sprintf("{sa_family=AF_UNIX, sun_path=@\"%s\"}", quote(path[1:]))
	}
	name, _, _ := bytes.Cut(path, []byte{0})
	return fmt.Sprintf("{sa_family=AF_UNIX, sun_path=\"%s\"}", quote(name))
}
