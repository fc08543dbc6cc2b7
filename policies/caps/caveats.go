package caps

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"advisor/policies"
	"advisor/trace"
)

// firstPort is the default of net.ipv4.ip_unprivileged_port_start: binding a
// port below it takes NET_BIND_SERVICE (net/ipv4/af_inet.c inet_init_net).
const firstPort = 1024

// caveats says why the list may be wrong elsewhere, or may lack something.
func caveats(o policies.Observation, s Synthesis, opt Options) []string {
	notes := slices.Concat(
		probeCaveat(o), portCaveat(o, s, opt), seccompCaveats(o, s), userCaveat(o, s),
	)
	add := func(n int, one, many, rest string) {
		if n > 0 {
			notes = append(notes, plural(n, one, many)+rest)
		}
	}
	add(sampledFacts(s.Facts), "kind of check has a sampled call site", "kinds of check have sampled call sites",
		": a rare one may hide behind a frequent one")
	add(failedGrants(s.Facts), "granted kind of check was made in a call", "granted kinds of check were made in calls",
		" that failed all the same, and would fail otherwise without the capability")
	add(int(min(o.Evidence.Lost, 1<<31)), "fact was lost in recording", "facts were lost in recording",
		": a need may be among them")
	return notes
}

func probeCaveat(o policies.Observation) []string {
	for _, off := range o.Evidence.Off {
		if strings.Contains(off, "capabilities") {
			return []string{"capability checks were not recorded everywhere: " + off}
		}
	}
	return nil
}

// portCaveat tells of ports that need NET_BIND_SERVICE elsewhere.
func portCaveat(o policies.Observation, s Synthesis, opt Options) []string {
	if opt.PortStart != nil || slices.Contains(s.Add, "NET_BIND_SERVICE") {
		return nil
	}
	var ports []string
	for _, port := range boundPorts(o) {
		if port < firstPort && !asked(o, port) {
			ports = append(ports, strconv.Itoa(port))
		}
	}
	if len(ports) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("the workload serves port %s, and needed no NET_BIND_SERVICE because "+
		"net.ipv4.ip_unprivileged_port_start is low here, as Docker and containerd set it; "+
		"where it is %d, add NET_BIND_SERVICE", strings.Join(ports, ", "), firstPort)}
}

// asked is true where the kernel would have asked for port in every replica.
func asked(o policies.Observation, port int) bool {
	for _, c := range o.Containers {
		if c.UnprivilegedPortStart == nil || *c.UnprivilegedPortStart <= port {
			return false
		}
	}
	return len(o.Containers) > 0
}

// seccompCaveats tells of calls that seccomp refused before the kernel could
// ask for the capability they need.
func seccompCaveats(o policies.Observation, s Synthesis) []string {
	var notes []string
	for _, d := range o.Denied {
		names := guarded(d.Syscall)
		has := func(name string) bool { return slices.Contains(s.Add, name) }
		if len(names) == 0 || slices.ContainsFunc(names, has) {
			continue
		}
		notes = append(notes, fmt.Sprintf("seccomp refused %s, which would need %s: whether the "+
			"workload needs it cannot be seen", d.Syscall, strings.Join(names, " or ")))
	}
	slices.Sort(notes)
	return slices.Compact(notes)
}

func userCaveat(o policies.Observation, s Synthesis) []string {
	uid, _, known := userOf(o)
	if !known || uid == 0 || len(s.Add) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("the container runs as user %d: what is added reaches its processes "+
		"only through file capabilities or set-user-id programs, except under podman", uid)}
}

func sampledFacts(facts []Fact) int {
	n := 0
	for _, f := range facts {
		if f.Sampled && f.Class != Runtime {
			n++
		}
	}
	return n
}

// failedGrants counts the checks that were granted in calls that failed: the
// answer is known not to be enough, but the error would be another without it.
func failedGrants(facts []Fact) int {
	n := 0
	for _, f := range facts {
		if f.Class == Incidental && f.Allowed && !f.Overridden && f.Source == "" && !went(f.Capability) &&
			f.Audit != trace.AuditFalse {
			n++
		}
	}
	return n
}

// guarded are the capabilities that a call cannot do without, any one of them,
// in the kernel's order (capabilities(7), man-pages 6.9).
func guarded(syscall string) []string {
	switch syscall {
	case "mount", "umount", "umount2", "pivot_root", "move_mount", "fsopen", "fsmount", "fsconfig",
		"fspick", "open_tree", "mount_setattr", "setns", "unshare", "sethostname",
		"setdomainname", "swapon", "swapoff", "quotactl", "quotactl_fd", "fanotify_init":
		return []string{"SYS_ADMIN"}
	case "syslog":
		return []string{"SYSLOG"}
	case "bpf":
		return []string{"BPF", "SYS_ADMIN"}
	case "perf_event_open":
		return []string{"PERFMON", "SYS_ADMIN"}
	case "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd", "process_madvise":
		return []string{"SYS_PTRACE"}
	case "init_module", "finit_module", "delete_module":
		return []string{"SYS_MODULE"}
	case "reboot", "kexec_load", "kexec_file_load":
		return []string{"SYS_BOOT"}
	case "settimeofday", "stime", "clock_settime", "clock_settime64", "adjtimex", "clock_adjtime":
		return []string{"SYS_TIME"}
	case "chroot":
		return []string{"SYS_CHROOT"}
	case "acct":
		return []string{"SYS_PACCT"}
	case "ioperm", "iopl":
		return []string{"SYS_RAWIO"}
	case "vhangup":
		return []string{"SYS_TTY_CONFIG"}
	case "open_by_handle_at":
		return []string{"DAC_READ_SEARCH"}
	}
	return nil
}
