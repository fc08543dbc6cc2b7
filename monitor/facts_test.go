package monitor

import (
	"bufio"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"advisor/bpf"
	"advisor/monitor/container"
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
	return runWith(t, Options{Command: self(t, name)})
}

func runWith(t *testing.T, o Options) recorded {
	t.Helper()
	got := run(t, t.Context(), o)
	if got.ExitCode != 0 {
		t.Fatalf("%v: exit code %d: %s", o.Command, got.ExitCode, got.stdout)
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

// TestManyChecksInOneCall works on files that have to be copied up in an overlay,
// where one call checks dozens of times.
func TestManyChecksInOneCall(t *testing.T) {
	const script = `set -e
d=$(mktemp -d); mount -t tmpfs none $d; mkdir -p $d/l/a/b $d/u $d/w $d/m; cp /bin/true $d/l/a/b
mount -t overlay -o lowerdir=$d/l,upperdir=$d/u,workdir=$d/w none $d/m
$d/m/a/b/true; chown 1:1 $d/m/a/b/true; mv $d/m/a/b/true $d/m/a/b/yes; $d/m/a/b/yes; rm -r $d/m/a
umount $d/m; umount $d; rmdir $d`
	got := runWith(t, Options{Command: []string{"sh", "-c", script}})
	for _, loss := range got.Losses {
		t.Errorf("%d lost at %s/%s: %s", loss.Count, loss.Probe, loss.Stage, loss.Reason)
	}
	list := of[*trace.Capability](got, "sh")
	perCall := make(map[string]int)
	for _, c := range list {
		perCall[c.Syscall]++
		if c.Outcome == trace.OutcomeUnknown {
			t.Errorf("how %s ended is not known: %+v", c.Syscall, c)
		}
	}
	if most := slices.Max(slices.Collect(maps.Values(perCall))); most < 6 {
		t.Errorf("no call has more than %d different checks: this shows nothing", most)
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

// TestUnansweredBehindADatagram: what is known of datagrams to a peer says nothing
// of connections to the same port.
func TestUnansweredBehindADatagram(t *testing.T) {
	command := append([]string{"unshare", "-n"}, self(t, "unanswered")...)
	got := run(t, t.Context(), Options{Command: command})
	var have []string
	for _, c := range of[*trace.Connect](got, "unshare") {
		have = append(have, fmt.Sprintf("%s %s:%d %s", c.Protocol, c.Remote, c.Port, c.Result))
	}
	slices.Sort(have)
	want := []string{"TCP 198.51.100.9:53 pending", "UDP 198.51.100.9:53 sent"}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("connections (-want +got):\n%s", diff)
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

// TestFilterForAllThreads gives a thread a filter without a call of its own: what
// it does then is under one.
func TestFilterForAllThreads(t *testing.T) {
	got := runAct(t, "tsync")
	before, after := false, false
	pids := make(map[string]int)
	for _, c := range of[*trace.Syscall](got, baseName(self(t)[0])) {
		if c.Phase == trace.PhaseRun {
			pids[c.Name] = c.PID
		}
		if c.Name == "getsid" && c.Phase == trace.PhaseRun {
			after = after || c.Filtered
			before = before || !c.Filtered
		}
	}
	if !before || !after {
		t.Errorf("getsid without a filter %t, with one %t; want both", before, after)
	}
	// The one is of another thread than the other.
	if pids["getsid"] == 0 || pids["getsid"] != pids["seccomp"] {
		t.Errorf("getsid by process %d, seccomp by %d; want one process", pids["getsid"], pids["seccomp"])
	}
}

func TestPhases(t *testing.T) {
	got := run(t, t.Context(), Options{Command: []string{"/usr/bin/true"}})
	list := of[*trace.Syscall](got, "true")
	for _, c := range list {
		if c.Exe == "" || c.Time.IsZero() {
			t.Errorf("%s in phase %s: nobody says when and by whom", c.Name, c.Phase)
		}
		if own := c.Exe == "/usr/bin/true"; own != (c.Phase == trace.PhaseRun) {
			t.Errorf("%s of %q in phase %s", c.Name, c.Exe, c.Phase)
		}
	}
	if start := called(list, trace.PhaseStart); !slices.Contains(start, "execve") {
		t.Errorf("no execve at the start: %v", start)
	}
}

// TestExistingSockets begins to record when a connection stands already.
func TestExistingSockets(t *testing.T) {
	args := self(t, "hold")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		skipOrFail(t, err)
	}
	defer func() {
		in.Close()
		_ = cmd.Wait()
	}()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the other side says %q: %v", line, err)
	}
	got := run(t, t.Context(), Options{
		Duration: 1500 * time.Millisecond, Selection: container.Selection{Host: true},
	})
	var have []string
	for _, rec := range got.records {
		switch rec := rec.(type) {
		case *trace.Listen:
			have = append(have, fmt.Sprintf("listen %s %s:%d %t", rec.Protocol, rec.Address, rec.Port, rec.Existing))
		case *trace.Accept:
			have = append(have, fmt.Sprintf("accept %d from %s %t", rec.Port, rec.Remote, rec.Existing))
		case *trace.Connect:
			have = append(have, fmt.Sprintf("connect %s:%d %s %t", rec.Remote, rec.Port, rec.Result, rec.Existing))
		}
	}
	for _, want := range []string{
		"listen TCP 127.0.0.1:39310 true", "listen UDP ::1:5353 true",
		"accept 39310 from 127.0.0.1 true", "connect 127.0.0.1:39310 established true",
	} {
		if !slices.Contains(have, want) {
			t.Errorf("no %q among\n%v", want, have)
		}
	}
}

func TestArguments(t *testing.T) {
	got := run(t, t.Context(), Options{Command: self(t, "network"), Arguments: true})
	families := make(map[uint64]bool)
	for _, c := range of[*trace.Syscall](got, baseName(self(t)[0])) {
		if c.Name != "socket" || c.Phase != trace.PhaseRun {
			continue
		}
		if len(c.Args) != 3 {
			t.Fatalf("socket with arguments %v, want three", c.Args)
		}
		families[c.Args[0].Value] = true
	}
	if !families[unix.AF_INET] || !families[unix.AF_INET6] || families[unix.AF_UNIX] {
		t.Errorf("families %v, want those of IPv4 and IPv6", families)
	}
}

// TestWidthOfArguments: half of each argument is kept, and the trace says so.
func TestWidthOfArguments(t *testing.T) {
	const half = 0xffffffff
	for name, want := range map[string][]trace.Arg{
		"socket": {{Index: 0, Value: 2, Mask: half}, {Index: 1, Value: 1, Mask: half}, {Index: 2, Value: 6, Mask: half}},
		"mmap":   {{Index: 2, Value: 2, Mask: half}},
	} {
		got := values(name, &bpf.RecorderArgKey{Values: [3]uint32{2, 1, 6}})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

// TestWholeArguments: all 32 bits of an argument are kept, each of its own place.
func TestWholeArguments(t *testing.T) {
	got := runWith(t, Options{Command: self(t, "arguments"), Arguments: true})
	have := make(map[string]bool)
	for _, c := range of[*trace.Syscall](got, baseName(self(t)[0])) {
		for _, arg := range c.Args {
			have[fmt.Sprintf("%s %d %#x", c.Name, arg.Index, arg.Value)] = true
		}
	}
	for _, want := range []string{
		"ioctl 1 0x89abcdef", "prctl 0 0x76543210", "socket 0 0x7fff1234", "socket 1 0x7fff5678", "socket 2 0x7fff9abc",
	} {
		if !have[want] {
			t.Errorf("no %s", want)
		}
	}
}

// actArguments makes calls that fail, with arguments that nobody else gives.
func actArguments() int {
	_, _, _ = unix.RawSyscall(unix.SYS_IOCTL, ^uintptr(0), 0x89abcdef, 0)
	_, _, _ = unix.RawSyscall(unix.SYS_PRCTL, 0x76543210, 0, 0)
	_, _, _ = unix.RawSyscall(unix.SYS_SOCKET, 0x7fff1234, 0x7fff5678, 0x7fff9abc)
	return 0
}

func TestTooManyArguments(t *testing.T) {
	got := runWith(t, Options{Command: self(t, "ioctls"), Arguments: true})
	kinds, overflow := 0, 0
	for _, c := range of[*trace.Syscall](got, baseName(self(t)[0])) {
		if c.Name == "ioctl" && c.Phase == trace.PhaseRun {
			kinds++
			if c.ArgsOverflow {
				overflow++
			}
		}
	}
	if overflow != 1 || kinds > 40 || got.Lost > 0 {
		t.Errorf("%d kinds of ioctl, %d of them overflow, %d lost", kinds, overflow, got.Lost)
	}
}

// TestProgramInNoDirectory is the workload's, although no mount of its own holds
// the file.
func TestProgramInNoDirectory(t *testing.T) {
	got := runAct(t, "memfd")
	found := 0
	for _, c := range of[*trace.Syscall](got, baseName(self(t)[0])) {
		if !strings.Contains(c.Exe, "memfd:nowhere") {
			continue
		}
		found++
		if c.Phase != trace.PhaseRun {
			t.Errorf("%s of %s in phase %s", c.Name, c.Exe, c.Phase)
		}
	}
	if found == 0 {
		t.Error("the program in no directory made no call that its parent had not made")
	}
}
