package monitor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"kernel.org/pub/linux/libs/security/libcap/cap"

	"advisor/bpf"
)

// Check is one thing recording needs or could use, as it is on this machine.
type Check struct {
	Name   string // "kernel", "capability checks", "socket /run/docker.sock" …
	OK     bool
	Needed bool   // without it nothing can be recorded
	Detail string // what was found
	Fix    string // what to do about it, empty where OK or where nothing can be done
}

// Probe looks at what this machine has for recording. Probes are tried by
// loading and attaching them for a moment: a version says little.
func Probe(ctx context.Context) []Check {
	checks := []Check{checkKernel(), checkPrivilege(), checkPrivileges(), checkBTF(), checkLockdown(), checkSymbols()}
	checks = append(checks, checkProbes()...)
	checks = append(checks, checkCgroups())
	return append(checks, checkSockets(ctx)...)
}

func checkKernel() Check {
	return Check{Name: "kernel", OK: true, Detail: uname().release + " " + archName(archNative)}
}

func checkPrivilege() Check {
	c := Check{
		Name: "privilege", OK: true, Needed: true, Detail: "all capabilities that recording needs",
	}
	if err := privileged(Options{}); err != nil {
		c.OK, c.Detail = false, err.Error()
		c.Fix = "run as root, or with the capabilities of docs/security.md"
	}
	return c
}

// checkPrivileges looks at those that make recording better.
func checkPrivileges() Check {
	c := Check{Name: "further privilege", OK: true, Detail: "all of it"}
	var missing []string
	for _, n := range lacking(Options{}) {
		if !n.must && (n.value != cap.SYS_RESOURCE || locksMemory(uname().release)) {
			missing = append(missing, capName(n.value)+" to "+n.what)
		}
	}
	if len(missing) > 0 {
		c.OK, c.Detail = false, "no "+strings.Join(missing, ", no ")
	}
	return c
}

// locksMemory says that a kernel counts what the recorder keeps as locked memory,
// as those before 5.11 do. A release that tells no version may be any.
func locksMemory(release string) bool {
	var major, minor int
	if n, _ := fmt.Sscanf(release, "%d.%d", &major, &minor); n < 2 {
		return true
	}
	return major < 5 || major == 5 && minor < 11
}

func checkBTF() Check {
	const path = "/sys/kernel/btf/vmlinux"
	c := Check{Name: "types of the kernel (BTF)", OK: true, Needed: true, Detail: path}
	if _, err := os.Stat(path); err != nil {
		c.OK, c.Detail = false, err.Error()
		c.Fix = "use a kernel built with CONFIG_DEBUG_INFO_BTF, as distributions' are since 5.8"
	}
	return c
}

func checkLockdown() Check {
	c := Check{Name: "lockdown", OK: true, Detail: "none"}
	raw, err := os.ReadFile("/sys/kernel/security/lockdown")
	if err != nil {
		c.Detail = "not known: securityfs is not mounted"
		return c
	}
	c.Detail = strings.TrimSpace(string(raw))
	if strings.Contains(c.Detail, "[confidentiality]") {
		c.OK, c.Needed = false, true
		c.Fix = "boot with lockdown=integrity or none: confidentiality forbids reading kernel memory"
	}
	return c
}

func checkSymbols() Check {
	c := Check{Name: "kernel symbols", OK: true, Detail: "/proc/kallsyms shows addresses"}
	if !newSites().readable() {
		c.OK, c.Detail = false, "addresses are hidden: call sites of capability checks stay unknown"
		c.Fix = "sysctl kernel.kptr_restrict=1 or lower, and CAP_SYSLOG"
	}
	return c
}

// checkProbes loads and attaches everything once.
func checkProbes() []Check {
	core := Check{Name: "system calls", Needed: true}
	p, err := load(limits{slots: 1, exits: true})
	if err != nil {
		core.Detail = explain(err).Error()
		return []Check{core}
	}
	defer p.close()
	if err := errors.Join(p.locateHost(), p.attachCore()); err != nil {
		core.Detail = explain(err).Error()
		return []Check{core}
	}
	core.OK, core.Detail = true, "raw_tp/sys_enter"
	checks := []Check{core, p.try("refused calls", "", bpf.RecorderProgLeave), checkMore()}
	checks = append(checks, p.tryCaps()...)
	checks = append(checks, p.try("TCP", "", bpf.RecorderProgTcp))
	return append(checks, p.tryUDP())
}

// checkMore tries what --files and --last load: with neither wanted, the verifier
// would pass over it.
func checkMore() Check {
	c := Check{Name: "files and last calls", OK: true, Detail: "raw_tp/sys_exit"}
	p, err := load(limits{slots: 1, exits: true, files: true, last: 1})
	if err == nil {
		defer p.close()
		err = p.loadExits()
	}
	if err != nil {
		c.OK, c.Detail = false, "no --files, no --last: "+short(explain(err))
	}
	return c
}

// try attaches programs for a moment.
func (p *probes) try(name, cgroup string, programs ...string) Check {
	c := Check{Name: name, OK: true, Detail: p.spec.Programs[programs[0]].SectionName}
	links, err := p.start(cgroup, programs)
	if err != nil {
		c.OK, c.Detail = false, c.Detail+": "+short(err)
		return c
	}
	_ = closeAll(links)
	return c
}

// tryCaps tries each way to capability checks; one is enough.
func (p *probes) tryCaps() []Check {
	const name = "capability checks"
	checks := []Check{
		p.try(name, "", bpf.RecorderProgCapsFexit),
		p.try(name, "", bpf.RecorderProgCapsTp),
		p.try(name, "", bpf.RecorderProgCapsAsk, bpf.RecorderProgCapsAnswer),
	}
	if i := slices.IndexFunc(checks, func(c Check) bool { return c.OK }); i >= 0 {
		return checks[i : i+1]
	}
	return checks
}

func (p *probes) tryUDP() Check {
	root, done, err := unifiedTree()
	if err != nil {
		const fix = "mount -t cgroup2 none /sys/fs/cgroup/unified"
		return Check{Name: "UDP", Detail: err.Error(), Fix: fix}
	}
	defer done()
	return p.try("UDP", root, bpf.RecorderProgSend4, bpf.RecorderProgSend6, bpf.RecorderProgRecv4,
		bpf.RecorderProgRecv6, bpf.RecorderProgConnect4, bpf.RecorderProgConnect6,
		bpf.RecorderProgBind4, bpf.RecorderProgBind6, bpf.RecorderProgEgress, bpf.RecorderProgIngress)
}

func checkCgroups() Check {
	root, err := cgroup2()
	if errors.Is(err, errNoTree) {
		return Check{Name: "cgroups", OK: true, Detail: "legacy: " + err.Error()}
	}
	if err != nil {
		return Check{Name: "cgroups", Detail: err.Error()}
	}
	kind := "unified at " + root
	if mounts, err := os.ReadFile("/proc/self/mounts"); err == nil &&
		strings.Contains(string(mounts), " cgroup rw") {
		kind = "hybrid, unified at " + root
	}
	return Check{Name: "cgroups", OK: true, Detail: kind}
}

// checkSockets tells which runtimes can be asked for names and labels.
func checkSockets(ctx context.Context) []Check {
	var checks []Check
	for _, path := range []string{
		"/run/docker.sock", "/run/containerd/containerd.sock", "/run/crio/crio.sock",
		"/run/podman/podman.sock",
	} {
		if _, err := os.Stat(path); err != nil {
			continue
		}
		checks = append(checks, checkSocket(ctx, path))
	}
	if len(checks) == 0 {
		return []Check{{Name: "runtimes", OK: true,
			Detail: "none answers; containers are named by their cgroup and the runtime's files"}}
	}
	return checks
}

func checkSocket(ctx context.Context, path string) Check {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	c := Check{Name: "runtime", OK: true, Detail: path}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		c.OK, c.Detail = false, fmt.Sprintf("%s: %s", path, short(err))
		c.Fix = "start the runtime, or remove what it left behind"
		return c
	}
	conn.Close()
	return c
}
