package report_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"advisor/report"
)

// TestMarkdownIsAComment holds that the page fits into a comment of GitHub, 65,536
// characters, whatever there is too much of, and says what is left out.
func TestMarkdownIsAComment(t *testing.T) {
	r := crowd(3000, 0)
	r.Workloads = []report.Workload{{Observed: true, Declared: true}}
	for i := range 3000 {
		r.Problems = append(r.Problems, report.Problem{Message: fmt.Sprintf("k8s/%d.yaml: this is a template, not YAML", i)})
		r.Audit = append(r.Audit, report.Audit{Ignore: report.Ignore{Rule: fmt.Sprintf("caps/%d", i), Reason: "known"}, State: report.IgnoreUnused})
	}
	var b bytes.Buffer
	if err := r.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 65536 {
		t.Errorf("%d bytes", b.Len())
	}
	for _, left := range []string{"problems more", "sections left out", "lines more"} {
		if !strings.Contains(b.String(), left) {
			t.Errorf("it does not say %q", left)
		}
	}
}
