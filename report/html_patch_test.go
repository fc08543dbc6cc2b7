package report

import (
	"testing"

	"advisor/policies"

	"github.com/google/go-cmp/cmp"
)

// TestPlacePatches holds where the page shows which patch.
func TestPlacePatches(t *testing.T) {
	in := func(name, file string) policies.Finding {
		return policies.Finding{
			Rule: "caps/missing", Workload: policies.Workload{Kind: "Deployment", Name: name},
			Position: policies.Position{File: file},
		}
	}
	r := &Report{
		Findings: []policies.Finding{in("web", "web.yaml"), in("web", "all.yaml"), in("cart", "all.yaml"),
			{Rule: "netpol/unused-rule", Position: policies.Position{File: "web.yaml"}},
		},
		Patches: []Patch{{"all.yaml", "+1\n"}, {"none.yaml", "+2\n"}, {"web.yaml", "+3\n"}},
	}
	p := r.page()
	got := map[string][]string{}
	for _, patch := range p.Patches {
		got["page"] = append(got["page"], patch.File)
	}
	for _, w := range p.Workloads {
		for _, patch := range w.Patches {
			got[w.Workload.Name] = append(got[w.Workload.Name], patch.File)
		}
	}
	want := map[string][]string{"page": {"all.yaml", "none.yaml"}, "web": {"web.yaml"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
