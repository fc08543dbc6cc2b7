package report

import (
	"testing"
	"time"

	"advisor/policies"
	"advisor/policies/caps"
	"advisor/trace"
)

// TestNoLabelsPairNothing holds that a template without labels, which all pods
// carry, is not taken for the declaration of every pod with such a container.
func TestNoLabelsPairNothing(t *testing.T) {
	seen := policies.Observation{Workload: policies.Workload{Namespace: "shop", Kind: "Pod", Name: "x", Container: "main"},
		Containers: []trace.Container{{Pod: &trace.Pod{Namespace: "shop", Labels: map[string]string{"app": "web"}}}}}
	d := caps.Declared{Workload: policies.Workload{Namespace: "shop", Kind: "Pod", Name: "y", Container: "main"}, Pod: &caps.Pod{}}
	if labelled(d, seen) {
		t.Error("a pod without labels is taken for it")
	}
	d.Pod.Meta.Labels = map[string]string{"app": "web"}
	if !labelled(d, seen) {
		t.Error("a pod with its labels is not")
	}
}

// TestLastDayOfAnEntry holds that an entry of the ignore file holds on its last day,
// and not on the day after.
func TestLastDayOfAnEntry(t *testing.T) {
	entry := Ignore{Rule: "caps/*", Reason: "known", Expires: "2026-01-14"}
	last := time.Date(2026, 1, 14, 23, 59, 0, 0, time.UTC)
	if entry.expired(last) || !entry.expired(last.Add(time.Hour)) {
		t.Error("it does not hold to the end of its last day, or beyond it")
	}
}

// TestOneFindingOnce holds that what is found twice is told once, and that two
// findings at two places are two.
func TestOneFindingOnce(t *testing.T) {
	f := policies.Finding{Class: policies.Missing, Rule: "caps/missing", Subject: "SETUID", Position: policies.Position{File: "a", Line: 1}}
	f.Fingerprint = policies.Fingerprint(f)
	elsewhere := f
	elsewhere.Position.Line = 2
	r := &Report{}
	r.finish([]policies.Finding{f, elsewhere, f}, Comparison{})
	if len(r.Findings) != 2 {
		t.Errorf("%d findings", len(r.Findings))
	}
}
