package monitor

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"advisor/trace"
)

// caps are the checks of a program of ours as "CAP syscall allowed outcome".
func caps(list []*trace.Capability) []string {
	var all []string
	for _, c := range list {
		if c.Phase == trace.PhaseRun {
			all = append(all, fmt.Sprintf("%s %s %t %s", c.Name, c.Syscall, c.Allowed, c.Outcome))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// runAct records an act, which has to come off.
func runAct(t *testing.T, name string) recorded {
	t.Helper()
	got := run(t, t.Context(), Options{Command: self(t, name)})
	if got.ExitCode != 0 {
		t.Fatalf("act %s: exit code %d: %s", name, got.ExitCode, got.stdout)
	}
	return got
}

func TestCapabilities(t *testing.T) {
	got := runAct(t, "caps")
	list := of[*trace.Capability](got, baseName(self(t)[0]))
	have := caps(list)
	for _, want := range []string{
		"CHOWN fchownat true ok",
		"SYS_CHROOT chroot true ok",
		"SETUID setuid true ok",
		"SYS_CHROOT chroot false EPERM",
	} {
		if !slices.Contains(have, want) {
			t.Errorf("no check %q among\n%v", want, have)
		}
	}
	for _, c := range list {
		if c.Name == "SYS_CHROOT" && (c.Site == "" || c.Audit != trace.AuditTrue ||
			c.Overridden || c.UserNS != trace.UserNSContainer) {
			t.Errorf("chroot's check: %+v", c)
		}
	}
}

func TestNetwork(t *testing.T) {
	got := runAct(t, "network")
	name := baseName(self(t)[0])
	var have []string
	for _, c := range of[*trace.Connect](got, name) {
		have = append(have, fmt.Sprintf("connect %s %s:%d %s", c.Protocol, c.Remote, c.Port, c.Result))
	}
	for _, a := range of[*trace.Accept](got, name) {
		have = append(have, fmt.Sprintf("accept %s %s:%d from %s", a.Protocol, a.Address, a.Port, a.Remote))
	}
	for _, l := range of[*trace.Listen](got, name) {
		have = append(have, fmt.Sprintf("listen %s %s:%d", l.Protocol, l.Address, l.Port))
	}
	want := []string{
		"listen TCP 127.0.0.1:39301",
		"connect TCP 127.0.0.1:39301 established",
		"accept TCP 127.0.0.1:39301 from 127.0.0.1",
		"listen TCP :::39302",
		"connect TCP ::1:39302 established",
		"accept TCP ::1:39302 from ::1",
		"accept TCP 127.0.0.1:39302 from 127.0.0.1", // v4-mapped, folded
		"connect TCP 127.0.0.1:39302 established",
		"connect TCP 127.0.0.1:39303 refused",
		"listen UDP 127.0.0.1:39304",
		"connect UDP 127.0.0.1:39304 sent", // by a connected socket
		"accept UDP 127.0.0.1:39304 from 127.0.0.1",
		"connect UDP 127.0.0.1:39306 sent", // by sendto
	}
	slices.Sort(have)
	slices.Sort(want)
	// Nothing of 39305: the socket was connected and sent nothing.
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("flows (-want +got):\n%s", diff)
	}
}

func TestFilter(t *testing.T) {
	got := runAct(t, "filter")
	name := baseName(self(t)[0])
	before, after := false, false
	for _, c := range of[*trace.Syscall](got, name) {
		if c.Name == "getppid" && c.Phase == trace.PhaseRun {
			after = after || c.Filtered
			before = before || !c.Filtered
		}
		if c.Name == "keyctl" {
			t.Errorf("a refused call as one that was made: %+v", c)
		}
	}
	if !before || !after {
		t.Errorf("getppid without a filter %t, with one %t; want both", before, after)
	}
	denied := of[*trace.Denied](got, name)
	if len(denied) != 1 || denied[0].Syscall != "keyctl" || denied[0].Action != "ENOTNAM" {
		t.Errorf("denied %+v, want keyctl by ENOTNAM", denied)
	}
}

func TestPhases(t *testing.T) {
	got := run(t, t.Context(), Options{Command: []string{"/usr/bin/true"}})
	list := of[*trace.Syscall](got, "true")
	for _, c := range list {
		if own := c.Exe == "/usr/bin/true"; own != (c.Phase == trace.PhaseRun) {
			t.Errorf("%s of %q in phase %s", c.Name, c.Exe, c.Phase)
		}
	}
	if start := called(list, trace.PhaseStart); !slices.Contains(start, "execve") {
		t.Errorf("no execve at the start: %v", start)
	}
}
