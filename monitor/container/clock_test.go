package container

import (
	"testing"
	"time"
)

// TestClockStep: what is called the start of a process does not move when the
// clock of the machine is set.
func TestClockStep(t *testing.T) {
	h := newHost(t)
	h.process(21, 1, "web", "0::/docker/"+idA, "web")
	h.write("proc/stat", "cpu 1 2 3\nbtime 1000000\n")
	r := h.resolver()
	before, _ := r.Resolve(Sight{PID: 21, Cgroup: idA})
	h.write("proc/stat", "cpu 1 2 3\nbtime 1086400\n")
	after, _ := r.Resolve(Sight{PID: 21, Cgroup: idA})
	// The process started a hundredth of a second after the boot.
	want := time.Unix(1000000, int64(10*time.Millisecond))
	if !before.Started.Equal(want) || !after.Started.Equal(want) {
		t.Errorf("started %v, after the step %v; want %v", before.Started, after.Started, want)
	}
}
