package monitor

import (
	"slices"
	"testing"

	"advisor/trace"
)

// TestNegativeNumbers records a program that calls what no kernel has: that is
// said of it, and the recording is whole.
func TestNegativeNumbers(t *testing.T) {
	got := run(t, t.Context(), Options{Command: self(t, "call", "4294967295"), Counts: true})
	var said []trace.Loss
	for _, loss := range got.Losses {
		if loss.Stage == "number" {
			said = append(said, loss)
		}
	}
	if len(said) != 1 || !said[0].EvidenceOnly || said[0].Reason != "a call of number -1, which is none on any kernel" {
		t.Errorf("losses %+v, want one of evidence, of number -1", got.Losses)
	}
	for _, rec := range got.records {
		counts, ok := rec.(*trace.Counts)
		if ok && slices.ContainsFunc(counts.Counts, func(c trace.Count) bool { return c.Fact == "syscall/x86_64/4294967295" }) {
			t.Errorf("counted what no record says: %+v", counts)
		}
	}
	if got.Complete != trace.CompleteTrue || got.Lost != 0 {
		t.Errorf("complete %s, %d lost; want a whole recording", got.Complete, got.Lost)
	}
}
