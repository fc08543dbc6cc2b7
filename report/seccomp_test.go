package report

import (
	"errors"
	"testing"

	"advisor/policies"
	"advisor/policies/seccomp"
	"advisor/trace"
)

// TestUnprovenProfilesAreNotMade: a call that no profile can name, made on a
// kernel that may have it, leaves nothing to print.
func TestUnprovenProfilesAreNotMade(t *testing.T) {
	o := policies.Observation{
		Evidence: policies.Evidence{Kernels: []string{"99.0"}},
		Syscalls: []policies.Syscall{
			{Arch: trace.ArchX8664, Nr: 1, Phase: trace.PhaseRun},
			{Arch: trace.ArchX8664, Nr: 9999, Phase: trace.PhaseRun},
		},
	}
	for _, name := range []string{"oci", "docker", "podman", "list"} {
		format, err := FormatOf(KindSeccomp, name)
		if err != nil {
			t.Fatal(err)
		}
		made, err := Seccomp(o, seccomp.Options{}, format)
		var unproven *UnprovenError
		if !errors.As(err, &unproven) || made.Text != "" {
			t.Errorf("%s: %v, and a text of %d bytes", name, err, len(made.Text))
		}
	}
}
