package monitor

import (
	"slices"
	"testing"

	"advisor/trace"
)

// TestNegativeNumbers records and counts a program that calls what no kernel has:
// the recording is whole, and nothing is counted that no record tells of.
func TestNegativeNumbers(t *testing.T) {
	got := run(t, t.Context(), Options{Command: self(t, "call", "4294967295"), Counts: true})
	if got.Complete != trace.CompleteTrue || len(got.Losses) > 0 {
		t.Errorf("complete %s, losses %+v; want a whole recording", got.Complete, got.Losses)
	}
	counted := false
	for _, rec := range got.records {
		counts, ok := rec.(*trace.Counts)
		counted = counted || ok
		if ok && slices.ContainsFunc(counts.Counts, func(c trace.Count) bool {
			return c.Fact == "syscall/x86_64/4294967295" || c.Fact == "syscall/aarch64/4294967295"
		}) {
			t.Errorf("counted what no record tells of: %+v", counts)
		}
	}
	if !counted {
		t.Error("nothing was counted")
	}
}
