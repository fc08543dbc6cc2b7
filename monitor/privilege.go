package monitor

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// need is a capability and what the recorder does with it.
type need struct {
	value cap.Value
	what  string
	must  bool // nothing can be recorded without
	// Once the probes are attached and a command of ours has begun, only these
	// are kept.
	later bool
}

// needs lists what the recorder does that takes a capability. Kept in step with
// docs/security.md by a test, and with the kernel by one that runs with these and
// no others.
func needs(o Options) []need {
	command := len(o.Command) > 0
	list := []need{
		{cap.BPF, "load programs and read maps", true, true},
		{cap.PERFMON, "attach probes and read the kernel's memory", true, true},
		{cap.NET_ADMIN, "attach to sockets, ask for sockets and connection tracking", true, true},
		{cap.SYS_PTRACE, "look at the namespaces of others", true, true},
		{cap.SYS_ADMIN, "enter network namespaces", command, true},
		{cap.SYSLOG, "name the functions that ask for capabilities", false, true},
		{cap.DAC_READ_SEARCH, "read the state of runtimes that belong to others", false, true},
		{cap.SYS_RESOURCE, "lock memory, before Linux 5.11", false, false},
	}
	if command {
		list = append(list, need{cap.KILL, "end the command when it became another user", false, true})
	}
	if o.Rotate > 0 {
		list = append(list,
			need{cap.DAC_OVERRIDE, "make the next file in a folder of another user", false, true},
			need{cap.CHOWN, "give it to who called sudo", false, true})
	}
	return list
}

// privileged tells what is missing before the kernel says a bare no.
// CAP_SYS_ADMIN stands for CAP_BPF and CAP_PERFMON, which are newer.
func privileged(o Options) error {
	var missing []string
	for _, n := range lacking(o) {
		if n.must {
			missing = append(missing, capName(n.value))
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w: %s missing", ErrPrivilege, strings.Join(missing, ", "))
	}
	return nil
}

// lacking lists what is not in force for this process.
func lacking(o Options) []need {
	have := cap.GetProc()
	has := func(v cap.Value) bool {
		on, err := have.GetFlag(cap.Effective, v)
		return err == nil && on
	}
	var missing []need
	for _, n := range needs(o) {
		newer := n.value == cap.BPF || n.value == cap.PERFMON
		if !has(n.value) && !(newer && has(cap.SYS_ADMIN)) {
			missing = append(missing, n)
		}
	}
	return missing
}

// capName is the name as capabilities(7) has it.
func capName(v cap.Value) string { return strings.ToUpper(v.String()) }

// drop gives up, in all threads and for good, what is not needed once the probes
// are attached and the command has begun: also what a program would get that
// this process runs.
func drop(o Options) error {
	have := cap.GetProc()
	kept := cap.NewSet()
	keep := make(map[cap.Value]bool)
	for _, n := range needs(o) {
		held, err := have.GetFlag(cap.Permitted, n.value)
		if err != nil || !held || !n.later {
			continue
		}
		keep[n.value] = true
		err = errors.Join(kept.SetFlag(cap.Permitted, true, n.value),
			kept.SetFlag(cap.Effective, true, n.value))
		if err != nil {
			return fmt.Errorf("giving up capabilities: %w", err)
		}
	}
	if err := dropBound(have, keep); err != nil {
		return fmt.Errorf("giving up capabilities: %w", err)
	}
	if err := kept.SetProc(); err != nil {
		return fmt.Errorf("giving up capabilities: %w", err)
	}
	if _, err := cap.Prctlw(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("giving up new privileges: %w", err)
	}
	return nil
}

// dropBound takes everything but keep out of the bounding set, where the process
// may.
func dropBound(have *cap.Set, keep map[cap.Value]bool) error {
	may, err := have.GetFlag(cap.Effective, cap.SETPCAP)
	if err != nil || !may {
		return err
	}
	for v := range cap.MaxBits() {
		if keep[v] {
			continue
		}
		if err := cap.DropBound(v); err != nil {
			return err
		}
	}
	return nil
}
