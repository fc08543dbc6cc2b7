package monitor

import (
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"advisor/trace"
)

// counted adds up the lines of counts of the container called name.
func counted(r recorded, name string) map[string]uint64 {
	sum := make(map[string]uint64)
	for _, line := range of[*trace.Counts](r, name) {
		for _, n := range line.Counts {
			sum[n.Fact] += n.Count
		}
	}
	return sum
}

func TestCounts(t *testing.T) {
	got := runWith(t, Options{Command: self(t, "often"), Counts: true})
	name := baseName(self(t)[0])
	sum := counted(got, name)
	arch := "syscall/" + archName(archNative) + "/"
	for fact, want := range map[string]uint64{
		arch + "getppid":              5000, // known to the stack table
		arch + "setns":                7,    // never known to it
		arch + "unshare":              11,
		arch + "100000":               13, // beyond every table
		"capability/SYS_CHROOT":       300,
		"connect/TCP/127.0.0.1:39311": 5,
		"connect/UDP/127.0.0.1:39312": 9,
	} {
		if sum[fact] != want {
			t.Errorf("%s counted %d times, want %d", fact, sum[fact], want)
		}
	}
	facts := make(map[string]bool)
	for _, rec := range got.records {
		if named, ok := rec.(interface{ Fact() string }); ok && containerOf(rec) != "" {
			facts[named.Fact()] = true
		}
	}
	for fact := range sum {
		if !facts[fact] {
			t.Errorf("%s is counted and has no record", fact)
		}
	}
	if got.Lost > 0 {
		t.Errorf("%d lost: %+v", got.Lost, got.Losses)
	}
}

func TestNoCountsUnlessWanted(t *testing.T) {
	got := runWith(t, Options{Command: self(t, "often")})
	if list := of[*trace.Counts](got, baseName(self(t)[0])); len(list) > 0 {
		t.Errorf("%d lines of counts that nobody asked for", len(list))
	}
}

// TestCountsOfEnded: what a container did is counted once, also where its name came
// after it was gone, and where its slot waits until it may be emptied.
func TestCountsOfEnded(t *testing.T) {
	for _, pinned := range []bool{false, true} {
		for _, named := range []bool{false, true} {
			t.Run(fmt.Sprintf("pinned %t, named %t", pinned, named), func(t *testing.T) {
				countsOfEnded(t, pinned, named)
			})
		}
	}
}

func countsOfEnded(t *testing.T, pinned, named bool) {
	t.Helper()
	r := byHand(t, Options{Denied: "off", Counts: true})
	args := self(t, "often")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if pinned {
		r.p.pinned = "somewhere"
		defer func() { r.p.pinned = "" }()
	}
	r.look(t) // ended
	if named {
		r.greet()
	}
	for range 3 {
		r.longAgo()
		r.look(t)
		if err := r.readCounts(); err != nil {
			t.Fatal(err)
		}
	}
	r.p.pinned = ""
	r.greet()
	if err := errors.Join(r.snapshot(true), r.writeCounts(true)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.out.write(&trace.End{Complete: trace.CompleteTrue}), r.out.close()); err != nil {
		t.Fatal(err)
	}
	arch := "syscall/" + archName(archNative) + "/"
	want := map[string]uint64{
		arch + "getppid": 5000, arch + "setns": 7, arch + "100000": 13, "capability/SYS_CHROOT": 300,
		"connect/UDP/127.0.0.1:39312": 9,
	}
	sum := countedOf(t, read(t, r.o.Output), cmd.Process.Pid)
	for fact, n := range want {
		if sum[fact] != n {
			t.Errorf("%s counted %d times, want %d", fact, sum[fact], n)
		}
	}
}

// countedOf adds up the counts of the container whose process made the calls of
// actOften.
func countedOf(t *testing.T, records []trace.Record, pid int) map[string]uint64 {
	t.Helper()
	var ids []string
	for _, rec := range records {
		if call, ok := rec.(*trace.Syscall); ok && call.Nr == 100000 && call.PID == pid {
			ids = append(ids, call.Container)
		}
	}
	if len(ids) != 1 {
		t.Fatalf("%d containers made the call", len(ids))
	}
	sum := make(map[string]uint64)
	for _, rec := range records {
		if line, ok := rec.(*trace.Counts); ok && line.Container == ids[0] {
			for _, n := range line.Counts {
				sum[n.Fact] += n.Count
			}
		}
	}
	return sum
}
