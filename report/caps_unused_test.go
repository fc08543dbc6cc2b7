package report_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"advisor/policies"
	"advisor/policies/caps"
	"advisor/report"
	"advisor/trace"
)

// TestUnusedCapabilities holds which capabilities a report calls unused: what all
// containers were granted, and nothing needed.
func TestUnusedCapabilities(t *testing.T) {
	setuid := policies.Capability{
		Phase: trace.PhaseRun, Name: "SETUID", Allowed: true, Syscall: "setuid", Outcome: trace.OutcomeOK,
		UserNS: trace.UserNSContainer, Audit: trace.AuditTrue,
	}
	granted := func(names ...string) trace.Container {
		return trace.Container{ID: "c1", Granted: &trace.Granted{Capabilities: names}}
	}
	tests := []struct {
		name       string
		containers []trace.Container
		want       []string
	}{
		{"granted and not needed", []trace.Container{granted("SETUID", "NET_RAW", "MKNOD")}, []string{"MKNOD", "NET_RAW"}},
		{"to all of them", []trace.Container{granted("SETUID", "NET_RAW"), granted("NET_RAW", "MKNOD")}, []string{"NET_RAW"}},
		{"not known of one", []trace.Container{granted("NET_RAW"), {ID: "c2"}}, []string{"NET_RAW"}},
		{"none to one of them", []trace.Container{granted("NET_RAW"), {ID: "c2",
			Granted: &trace.Granted{CapabilitiesKnown: true}}}, nil},
		{"not known", []trace.Container{{ID: "c1"}}, nil},
		{"privileged", []trace.Container{{ID: "c1", Granted: &trace.Granted{Privileged: true,
			Capabilities: []string{"NET_RAW"}}}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := policies.Observation{
				Workload: policies.Workload{Kind: policies.KindContainer, Name: "web"}, Containers: tt.containers,
				Capabilities: []policies.Capability{setuid},
				Evidence:     policies.Evidence{Complete: trace.CompleteTrue, Replicas: len(tt.containers)},
			}
			format, err := report.FormatOf(report.KindCaps, "")
			if err != nil {
				t.Fatal(err)
			}
			made, err := report.Caps(o, caps.Options{}, format)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, l := range made.Lines {
				if l.Reason == "unused" {
					got = append(got, l.Subject)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
