package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"advisor/trace"
)

// TestLossLines sums up by kind, and names whose losses they are.
func TestLossLines(t *testing.T) {
	peers := trace.Loss{Probe: "network", Stage: "map", Reason: "too many distinct peers"}
	slots := trace.Loss{Probe: "syscalls", Stage: "slot", Reason: "more than 2 containers at a time", Count: 4}
	of := func(l trace.Loss, container string, count uint64) trace.Loss {
		l.Container, l.Count = container, count
		return l
	}
	losses := []trace.Loss{of(peers, "b", 2), of(peers, "a", 3), slots}
	for _, id := range []string{"1", "2", "3", "4", "5", "6", "7"} {
		losses = append(losses, of(slots, id, 1))
	}
	want := []string{
		"lost: 5 at network/map: too many distinct peers; of b, web",
		"lost: 11 at syscalls/slot: more than 2 containers at a time; of 1, 2, 3, 4, 5 and 2 more",
	}
	if diff := cmp.Diff(want, lossLines(losses, map[string]string{"a": "web"})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := lossLines(nil, nil); got != nil {
		t.Errorf("of no loss: %v", got)
	}
}
