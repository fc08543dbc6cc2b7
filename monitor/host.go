package monitor

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

type names struct{ node, release string }

func uname() names {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return names{}
	}
	return names{unix.ByteSliceToString(u.Nodename[:]), unix.ByteSliceToString(u.Release[:])}
}

func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}

// privileged tells what is missing before the kernel says a bare no. CAP_SYS_ADMIN
// stands for the first two, which are newer.
func privileged() error {
	have, err := effective()
	if err != nil {
		return err
	}
	has := func(c int) bool { return have&(1<<c) != 0 }
	var missing []string
	for _, need := range []struct {
		nr   int
		name string
	}{
		{unix.CAP_BPF, "BPF"}, {unix.CAP_PERFMON, "PERFMON"},
		{unix.CAP_NET_ADMIN, "NET_ADMIN"}, {unix.CAP_SYS_PTRACE, "SYS_PTRACE"},
	} {
		if has(need.nr) || need.nr >= unix.CAP_PERFMON && has(unix.CAP_SYS_ADMIN) {
			continue
		}
		missing = append(missing, "CAP_"+need.name)
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w: %s missing", ErrPrivilege, strings.Join(missing, ", "))
	}
	return nil
}

// effective is the effective capability set of this process.
func effective() (uint64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, fmt.Errorf("reading our capabilities: %w", err)
	}
	for line := range strings.Lines(string(status)) {
		if hex, ok := strings.CutPrefix(line, "CapEff:"); ok {
			return strconv.ParseUint(strings.TrimSpace(hex), 16, 64)
		}
	}
	return 0, fmt.Errorf("reading our capabilities: no CapEff in /proc/self/status")
}
