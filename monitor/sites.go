package monitor

import (
	"bufio"
	"os"
	"slices"
	"strconv"
	"strings"
)

// sites finds the kernel function that asked for a capability. Addresses mean
// something on this boot only, so they are resolved while recording.
type sites struct {
	starts []uint64
	names  []string
}

// loadSites reads the kernel's symbols. Where they are hidden (kptr_restrict)
// there are none, and call sites stay unknown.
func loadSites() *sites {
	f, err := os.Open("/proc/kallsyms")
	if err != nil {
		return &sites{}
	}
	defer f.Close()
	type symbol struct {
		start uint64
		name  string
	}
	var list []symbol
	in := bufio.NewScanner(f)
	for in.Scan() {
		fields := strings.Fields(in.Text())
		if len(fields) < 3 || !strings.ContainsAny(fields[1], "tTwW") {
			continue
		}
		start, err := strconv.ParseUint(fields[0], 16, 64)
		if err == nil && start != 0 {
			list = append(list, symbol{start, plain(fields[2])})
		}
	}
	slices.SortStableFunc(list, func(a, b symbol) int {
		if a.start < b.start {
			return -1
		}
		return 1
	})
	s := &sites{}
	for _, sym := range list {
		s.starts = append(s.starts, sym.start)
		s.names = append(s.names, sym.name)
	}
	return s
}

// plain cuts what the compiler appends: "do_brk_flags.constprop.0".
func plain(symbol string) string {
	name, _, _ := strings.Cut(symbol, ".")
	return strings.Clone(name)
}

func (s *sites) readable() bool { return len(s.starts) > 0 }

// of returns the function that asked, and whether it only asks: such a check is
// never audited and its answer is a hint to the kernel itself.
func (s *sites) of(frames []uint64) (site string, advisory bool) {
	for _, ip := range frames {
		name := s.name(ip)
		advisory = advisory || onlyAsks(name)
		if site == "" && name != "" && !onTheWay(name) {
			site = name
		}
	}
	return site, advisory
}

// name is the symbol that ip lies in. A return address may lie just behind a
// function that never returns, so one byte before it counts.
func (s *sites) name(ip uint64) string {
	i, exact := slices.BinarySearch(s.starts, ip-1)
	if ip == 0 || i == 0 && !exact {
		return ""
	}
	if !exact {
		i--
	}
	return s.names[i]
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
		"ns_capable_common", "ns_capable_noaudit", "capable_wrt_inode_uidgid", "file_ns_capable",
		"has_capability", "has_ns_capability", "has_capability_noaudit",
		"has_ns_capability_noaudit", "sk_capable", "sk_ns_capable", "sk_net_capable",
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
