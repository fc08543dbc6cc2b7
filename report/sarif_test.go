package report_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"advisor/policies"
	"advisor/report"
)

// TestSARIFFitsSchema validates against the schema that OASIS publishes, and
// against what GitHub's code scanning requires beyond it.
func TestSARIFFitsSchema(t *testing.T) {
	published := compile(t, "testdata/sarif-schema-2.1.0.json")
	github := compile(t, "testdata/sarif-github.schema.json")
	reports := map[string]*report.Report{
		"drift": driftReport(t), "empty": {Schema: report.Schema}, "crowd": crowd(30000, 30000), "hostile": hostile(),
	}
	for name, r := range reports {
		text := sarif(t, r)
		for _, schema := range []*jsonschema.Schema{published, github} {
			if err := schema.Validate(decode(t, text)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	// The check can fail: both schemas know every key, and what values may be.
	good := string(sarif(t, driftReport(t)))
	for _, change := range [][2]string{
		{`"ruleId"`, `"rule"`}, {`"level": "error"`, `"level": "fatal"`}, {`"startLine": `, `"startLine": -`},
		{`"version": "2.1.0"`, `"version": "2.0.0"`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if bad == good {
			t.Fatalf("there is no %s in the report", change[0])
		}
		for i, schema := range []*jsonschema.Schema{published, github} {
			if schema.Validate(decode(t, []byte(bad))) == nil {
				t.Errorf("schema %d takes %s", i, change[1])
			}
		}
	}
}

// TestSARIFLimits holds that nothing is left out in silence, and that a file
// stays below the 10 MB that an upload may have when compressed.
func TestSARIFLimits(t *testing.T) {
	text := sarif(t, crowd(30000, 30000))
	var log struct {
		Runs []struct {
			Results     []struct{ Level string }
			Invocations []struct {
				ToolExecutionNotifications []struct{ Message struct{ Text string } }
			}
		}
	}
	if err := json.Unmarshal(text, &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if len(run.Results) != 5000 || run.Results[0].Level != "error" {
		t.Errorf("%d results, the first of level %q; want 5000, the worst first", len(run.Results), run.Results[0].Level)
	}
	want := "55000 results left out"
	if got := run.Invocations[0].ToolExecutionNotifications; len(got) != 1 || !strings.HasPrefix(got[0].Message.Text, want) {
		t.Errorf("notifications %v, want %q", got, want)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if packed.Len() > 10<<20 {
		t.Errorf("%d bytes compressed, more than an upload may have", packed.Len())
	}
}

func sarif(t *testing.T, r *report.Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := r.SARIF(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// crowd is a report of n findings and of ignored ones, each of a workload of
// its own, so that none can be joined.
func crowd(n, ignored int) *report.Report {
	r := &report.Report{Schema: report.Schema, Manifests: []string{"k8s/all.yaml"}}
	for i := range n + ignored {
		f := policies.Finding{
			Class: policies.Missing, Rule: "caps/missing", Subject: "SETUID", Message: "needed in setuid",
			Workload: policies.Workload{Namespace: "shop", Kind: "Deployment", Name: fmt.Sprintf("web-%d", i)},
			Position: policies.Position{File: "k8s/all.yaml", Line: i + 1, Column: 3},
		}
		f.Fingerprint = policies.Fingerprint(f)
		if i < n {
			r.Findings = append(r.Findings, f)
		} else {
			r.Ignored = append(r.Ignored, report.Ignored{Finding: f, Reason: "known"})
		}
	}
	return r
}

// hostile is a report of names that no one would choose.
func hostile() *report.Report {
	r := crowd(1, 1)
	for _, text := range []string{"", "%41 b", "../../etc/passwd", "/abs/ü\x00\xff.yaml", "C:\\x|y", "\u2028<script>"} {
		f := r.Findings[0]
		f.Position.File, f.Subject, f.Message, f.Workload.Name = text, text, text, text
		f.Position.Line, f.Position.Column = 0, 0
		r.Findings = append(r.Findings, f)
		r.Problems = append(r.Problems, report.Problem{Message: "not used: " + text})
	}
	return r
}

// TestSARIFAlertsAreStable holds that code scanning, which knows an alert by
// primaryLocationLineHash, sees the same alerts when lines move and when one more
// finding is joined with others, and never two findings as one.
func TestSARIFAlertsAreStable(t *testing.T) {
	r := crowd(3, 0)
	before := hashes(t, r)
	for i := range r.Findings {
		r.Findings[i].Position.Line += 7
		r.Findings[i].Message += " by another process"
	}
	if after := hashes(t, r); !slices.Equal(before, after) || len(slices.Compact(slices.Sorted(slices.Values(after)))) != 3 {
		t.Errorf("got %v, then %v", before, after)
	}
	joined := func(n int) []string {
		r := &report.Report{Schema: report.Schema}
		for i := range n {
			f := crowd(1, 0).Findings[0]
			f.Subject = fmt.Sprint(i)
			f.Fingerprint = policies.Fingerprint(f)
			r.Findings = append(r.Findings, f)
		}
		return hashes(t, r)
	}
	if few, more := joined(1500), joined(1501); len(few) != 1 || !slices.Equal(few, more) {
		t.Errorf("joined: %v, with one more %v", few, more)
	}
}

func hashes(t *testing.T, r *report.Report) []string {
	t.Helper()
	var log struct {
		Runs []struct {
			Results []struct{ PartialFingerprints map[string]string }
		}
	}
	if err := json.Unmarshal(sarif(t, r), &log); err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, result := range log.Runs[0].Results {
		list = append(list, result.PartialFingerprints["primaryLocationLineHash"])
	}
	return list
}
