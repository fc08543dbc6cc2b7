package monitor

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"advisor/bpf"
	"advisor/trace"
)

// TestKernelKnowsLate: the kernel itself says of a container that it was there
// before, and of no other: also where nobody has listed what there was.
func TestKernelKnowsLate(t *testing.T) {
	before := newPeer(t, "busy")
	if _, err := before.out.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	r := byHand(t, Options{Denied: "off"})
	after := newPeer(t, "busy")
	if _, err := after.out.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	late := make(map[uint32]bool)
	err := r.p.state.slots(func(_ int, slot *bpf.RecorderSlot) {
		late[slot.Inum] = slot.Flags&slotLate != 0
	})
	if err != nil {
		t.Fatal(err)
	}
	for pid, want := range map[int]bool{before.pid: true, after.pid: false} {
		var st unix.Stat_t
		if err := unix.Stat(fmt.Sprintf("/proc/%d/ns/mnt", pid), &st); err != nil {
			t.Fatal(err)
		}
		if got, known := late[uint32(st.Ino)]; !known || got != want {
			t.Errorf("process %d: late %t, known %t, want %t", pid, got, known, want)
		}
	}
}

// TestRefusalsWithoutEvents: what a filter refused is read from the kernel's table
// where no event told of it.
func TestRefusalsWithoutEvents(t *testing.T) {
	r := byHand(t, Options{Denied: "on"})
	args := self(t, "refusals")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	err := errors.Join(r.p.state.drain(func(*bpf.RecorderEvent) {}), r.finish("test"), r.out.close())
	if err != nil {
		t.Fatal(err)
	}
	var have []int
	for _, rec := range read(t, r.o.Output) {
		if d, ok := rec.(*trace.Denied); ok && d.PID == cmd.Process.Pid {
			have = append(have, d.Nr)
		}
	}
	slices.Sort(have)
	want := []int{refusedKnown, refusedX32 & 0xffff, refusedUnknown}
	slices.Sort(want)
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("refused (-want +got)\n%s", diff)
	}
}
