package report

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"advisor/policies/caps"
	"advisor/policies/seccomp"
)

// TestEnginesGiveTheSame: what a container gets decides which rules of a
// profile count, so that both kinds of policy must know the same of it.
func TestEnginesGiveTheSame(t *testing.T) {
	known := 0
	for _, e := range caps.Engines() {
		if !slices.Contains(seccomp.Engines(), e.Name) {
			continue
		}
		known++
		if diff := cmp.Diff(e.Defaults, slices.Sorted(slices.Values(seccomp.EngineCapabilities(e.Name)))); diff != "" {
			t.Errorf("%s (-caps +seccomp)\n%s", e.Name, diff)
		}
	}
	if known != len(seccomp.Engines()) {
		t.Errorf("%d engines are known to both, want %d", known, len(seccomp.Engines()))
	}
}
