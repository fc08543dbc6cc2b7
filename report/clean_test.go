package report_test

import (
	"bytes"
	"strings"
	"testing"

	"advisor/report"
)

// TestNoLineOfTheirOwn holds that what others name ends no line of what is printed
// for a CI or a terminal, and begins no command of either.
func TestNoLineOfTheirOwn(t *testing.T) {
	hostile := `services:
  "web\x1b[31m\n::error::service\n": {privileged: true, security_opt: ["seccomp:p\n::error::profile"], cap_add: ["A\n::error::cap"]}
---
apiVersion: v1
kind: Pod
metadata: {name: "p\n::error::pod", namespace: "n\n::error::namespace"}
spec: {containers: [{name: "c\r\n::error::container\u202e", image: i}]}
---
kind: "K\n::error::kind"
`
	inDir(t, map[string]string{"a.yaml": hostile, "b\n::error::file.yaml": hostile})
	m, err := report.LoadManifests([]string{"."}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, _ := report.Diff(report.Observed{}, m, report.Comparison{Kinds: report.Kinds()})
	if len(r.Findings) < 8 {
		t.Fatalf("%d findings", len(r.Findings))
	}
	for _, format := range []string{"text", "name", "markdown", "github"} {
		var b bytes.Buffer
		if err := r.Render(&b, format, report.Style{}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			own := format == "github" && (strings.HasPrefix(line, "::error file=") || strings.HasPrefix(line, "::warning file=") ||
				strings.HasPrefix(line, "::notice "))
			if strings.HasPrefix(line, "::") && !own || strings.ContainsAny(line, "\x1b\r\u202e") {
				t.Errorf("%s: %q", format, line)
			}
		}
	}
	d := report.Differences{Old: "a", New: "b"}
	d.Differences, err = report.CompareManifests(report.Manifests{}, m, report.Comparison{Kinds: report.Kinds()})
	if err != nil || len(d.Differences) == 0 {
		t.Fatal(d.Differences, err)
	}
	var b bytes.Buffer
	if err := d.Text(&b); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "\n::") || strings.ContainsAny(b.String(), "\x1b\r\u202e") {
		t.Errorf("%q", b.String())
	}
}
