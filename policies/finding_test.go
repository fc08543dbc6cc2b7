package policies_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"advisor/policies"
)

// TestFingerprint changes one thing at a time.
func TestFingerprint(t *testing.T) {
	w := policies.Workload{Namespace: "shop", Kind: "Deployment", Name: "web", Container: "nginx"}
	base := policies.Finding{Class: policies.Missing, Rule: "seccomp/missing-syscall", Workload: w, Subject: "keyctl"}
	const want = "624c6a9a7f62976984d939754209bd56"
	same := base
	same.Class, same.Message, same.Evidence = policies.Unknown, "again", []string{"x"}
	same.Position = policies.Position{File: "a.yaml", Line: 3}
	if policies.Fingerprint(base) != policies.Fingerprint(same) {
		t.Error("words, class or place change the fingerprint")
	}
	seen := map[string]string{policies.Fingerprint(base): "base"}
	for name, change := range map[string]func(*policies.Finding){
		"rule":      func(f *policies.Finding) { f.Rule = "x" },
		"subject":   func(f *policies.Finding) { f.Subject = "x" },
		"namespace": func(f *policies.Finding) { f.Workload.Namespace = "x" },
		"kind":      func(f *policies.Finding) { f.Workload.Kind = "x" },
		"name":      func(f *policies.Finding) { f.Workload.Name = "x" },
		"container": func(f *policies.Finding) { f.Workload.Container = "x" },
		"shift":     func(f *policies.Finding) { f.Workload.Name, f.Workload.Container = "webnginx", "" },
	} {
		f := base
		change(&f)
		if other := seen[policies.Fingerprint(f)]; other != "" {
			t.Errorf("another %s has the fingerprint of %s", name, other)
		}
		seen[policies.Fingerprint(f)] = name
	}
	if got := policies.Fingerprint(base); got != want {
		t.Errorf("the fingerprint is %s, and baselines have %s", got, want)
	}
}

func TestFindingOrder(t *testing.T) {
	at := func(line int) policies.Position { return policies.Position{File: "a.yaml", Line: line} }
	web, db := policies.Workload{Name: "web"}, policies.Workload{Name: "db"}
	sorted := []policies.Finding{
		{Class: policies.Missing, Workload: web},
		{Class: policies.Invalid, Workload: db},
		{Class: policies.Invalid, Workload: web},
		{Class: policies.Unprotected},
		{Class: policies.Excess, Rule: "a"},
		{Class: policies.Excess, Rule: "b", Subject: "a"},
		{Class: policies.Excess, Rule: "b", Subject: "b", Position: at(2)},
		{Class: policies.Excess, Rule: "b", Subject: "b", Position: at(10)},
		{Class: policies.Unknown},
		{Class: "of tomorrow"},
	}
	got := slices.Clone(sorted)
	slices.Reverse(got)
	slices.SortFunc(got, policies.Finding.Compare)
	if diff := cmp.Diff(sorted, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
