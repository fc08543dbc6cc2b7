package monitor

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// sites finds the kernel function that asked for a capability. Addresses mean
// something on this boot only, so they are resolved while recording. The
// kernel's symbols are read through when new addresses came up, and not kept:
// there are a hundred thousand of them and a few dozen are asked for.
type sites struct {
	known  map[uint64]string
	hidden bool // kptr_restrict: call sites stay unknown
}

func newSites() *sites {
	f, err := os.Open("/proc/kallsyms")
	if err != nil {
		return &sites{hidden: true}
	}
	defer f.Close()
	return &sites{known: make(map[uint64]string), hidden: hiddenIn(f)}
}

// hiddenIn tells whether addresses are hidden: all of them are zero then. Of data
// for each processor some may be zero anyway, and stand first (x86 before 6.15).
func hiddenIn(symbols io.Reader) bool {
	in := bufio.NewScanner(symbols)
	for in.Scan() {
		if start, _, ok := symbol(in.Bytes()); ok {
			return start == 0
		}
	}
	return true
}

func (s *sites) readable() bool { return !s.hidden }

// learn resolves the addresses that are new among frames, 0 excepted.
func (s *sites) learn(frames []uint64) {
	var fresh []uint64
	for _, ip := range frames {
		if _, ok := s.known[ip]; !ok && ip != 0 {
			fresh = append(fresh, ip)
		}
	}
	if s.hidden || len(fresh) == 0 {
		return
	}
	f, err := os.Open("/proc/kallsyms")
	if err != nil {
		return
	}
	defer f.Close()
	slices.Sort(fresh)
	fresh = slices.Compact(fresh)
	for i, name := range nearest(f, fresh) {
		s.known[fresh[i]] = name
	}
}

// nearest names, for each of the sorted addresses, the function that begins
// closest before it. A return address may lie just behind a function that never
// returns, so one that begins at the address itself does not count.
func nearest(symbols io.Reader, sorted []uint64) []string {
	starts, names := make([]uint64, len(sorted)), make([]string, len(sorted))
	in := bufio.NewScanner(symbols)
	for in.Scan() {
		start, name, ok := symbol(in.Bytes())
		if !ok {
			continue
		}
		i, exact := slices.BinarySearch(sorted, start)
		if exact {
			i++
		}
		if i < len(sorted) && start > starts[i] {
			starts[i], names[i] = start, plain(name)
		}
	}
	for i := 1; i < len(sorted); i++ {
		if starts[i] < starts[i-1] {
			starts[i], names[i] = starts[i-1], names[i-1]
		}
	}
	return names
}

// symbol reads one line of kallsyms: address, kind, name, module.
func symbol(line []byte) (start uint64, name []byte, ok bool) {
	address, rest, _ := bytes.Cut(line, []byte{' '})
	if len(rest) < 3 || !strings.ContainsRune("tTwW", rune(rest[0])) {
		return 0, nil, false
	}
	start, err := strconv.ParseUint(string(address), 16, 64)
	name, _, _ = bytes.Cut(rest[2:], []byte{'\t'})
	return start, name, err == nil
}

// plain cuts what the compiler appends: "do_brk_flags.constprop.0".
func plain(symbol []byte) string {
	name, _, _ := strings.Cut(string(symbol), ".")
	return name
}

// of returns the function that asked, and whether it only asks: such a check is
// never audited and its answer is a hint to the kernel itself.
func (s *sites) of(frames []uint64) (site string, advisory bool) {
	for _, ip := range frames {
		name := s.known[ip]
		advisory = advisory || onlyAsks(name)
		if site == "" && name != "" && !onTheWay(name) {
			site = name
		}
	}
	return site, advisory
}

// onlyAsks knows the functions that check without auditing (security/commoncap.c,
// kernel/capability.c).
func onlyAsks(name string) bool {
	switch name {
	case "ns_capable_noaudit", "has_capability_noaudit", "has_ns_capability_noaudit":
		return true
	}
	return strings.Contains(name, "vm_enough_memory")
}

// onTheWay knows the functions between a probe and who asked: the probe's own,
// the security hook, and the helpers that only pass the question on.
func onTheWay(name string) bool {
	switch name {
	case "cap_capable", "cap_capable_helper", "security_capable", "capable", "ns_capable",
		"ns_capable_common", "ns_capable_noaudit", "ns_capable_setid",
		"capable_wrt_inode_uidgid", "file_ns_capable", "ptracer_capable",
		"has_capability", "has_ns_capability", "has_capability_noaudit",
		"has_ns_capability_noaudit", "sk_capable", "sk_ns_capable", "sk_net_capable",
		"netlink_capable", "netlink_net_capable", "netlink_ns_capable", "__netlink_ns_capable",
		"cap_vm_enough_memory", "kretprobe_trampoline", "ftrace_trampoline":
		return true
	}
	for _, prefix := range []string{"bpf_", "__bpf_", "__traceiter_", "trace_", "___bpf"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
