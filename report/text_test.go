package report

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"advisor/policies"
)

// TestNarrow holds what a terminal of 60 columns shows of findings that have no
// room in a line, and that everywhere else a finding is a line.
func TestNarrow(t *testing.T) {
	w := policies.Workload{Namespace: "shop", Kind: "Deployment", Name: "web"}
	r := &Report{Manifests: []string{"web.yaml"}, Findings: []policies.Finding{{
		Class: policies.Unprotected, Rule: "netpol/not-isolated", Workload: w, Subject: "ingress",
		Message:  "no policy selects it for ingress: everything is allowed",
		Position: policies.Position{File: "k8s/web.yaml", Line: 1, Column: 1},
	}}}
	var wide, narrow strings.Builder
	if err := r.Text(&wide, Style{}); err != nil {
		t.Fatal(err)
	}
	if err := r.Text(&narrow, Style{Width: 60}); err != nil {
		t.Fatal(err)
	}
	want := `shop/Deployment/web
  ~ unprotected  netpol/not-isolated  ingress
      no policy selects it for ingress: everything is
      allowed
      k8s/web.yaml:1:1
0 missing, 0 excess, 1 unprotected
`
	if diff := cmp.Diff(want, narrow.String()); diff != "" {
		t.Errorf("narrow (-want +got):\n%s", diff)
	}
	for line := range strings.Lines(narrow.String()) {
		if utf8.RuneCountInString(line) > 61 {
			t.Errorf("too long: %q", line)
		}
	}
	if got := strings.Count(wide.String(), "\n"); got != 3 {
		t.Errorf("%d lines where nobody's terminal is:\n%s", got, wide.String())
	}
}
