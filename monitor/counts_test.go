package monitor

import (
	"testing"

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
