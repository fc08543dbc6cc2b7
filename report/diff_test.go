package report_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"advisor/report"
)

// compared holds the shop's trace against a manifest and a profile.
func compared(t *testing.T, manifest, profile string, ignores ...report.Ignore) (*report.Report, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"shop.yaml": manifest, "profiles/web.json": profile} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	manifests, err := report.LoadManifests([]string{dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen, err := report.Observe([]string{"testdata/shop.log"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return report.Diff(seen, manifests, report.Comparison{
		Kinds: report.Kinds(), Ignores: ignores, Today: time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC),
	})
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func clean(t *testing.T) (manifest, profile string) {
	return readFile(t, "testdata/shop.yaml"), readFile(t, "testdata/web.json")
}

// driftReport has findings of every kind, ignored ones among them.
func driftReport(t *testing.T) *report.Report {
	t.Helper()
	manifest, profile := clean(t)
	manifest = strings.NewReplacer("- SETUID\n", "- NET_RAW\n", "port: 8080", "port: 9090").Replace(manifest)
	profile = strings.Replace(profile, `"getrandom"`, `"ptrace"`, 1)
	r, err := compared(t, manifest, profile, report.Ignore{Rule: "caps/unused", Reason: "ping", Expires: "2026-01-15"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestCleanPairHasNoFindings is the other half of [TestPlantedDrift].
func TestCleanPairHasNoFindings(t *testing.T) {
	r, err := compared(t, readFile(t, "testdata/shop.yaml"), readFile(t, "testdata/web.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Findings {
		t.Errorf("%s %s %s %s: %s", f.Class, f.Rule, f.Workload, f.Subject, f.Message)
	}
	for _, p := range r.Problems {
		t.Errorf("problem: %s", p)
	}
}

// TestPlantedDrift plants one drift at a time into the clean pair and looks for
// it at its line, and for nothing else of another rule.
func TestPlantedDrift(t *testing.T) {
	manifest, profile := clean(t)
	for _, tt := range drifts() {
		t.Run(tt.name, func(t *testing.T) {
			m, p := strings.Replace(manifest, tt.old, tt.new, 1), profile
			if tt.inProfile {
				m, p = manifest, strings.Replace(profile, tt.old, tt.new, 1)
			}
			if m == manifest && p == profile {
				t.Fatalf("%q is not there to be replaced", tt.old)
			}
			r, err := compared(t, m, p)
			if err != nil {
				t.Fatal(err)
			}
			checkDrift(t, tt, r, m, p)
		})
	}
}

func checkDrift(t *testing.T, tt drift, r *report.Report, manifest, profile string) {
	t.Helper()
	text := manifest
	if tt.inProfile {
		text = profile
	}
	for _, f := range r.Findings {
		if !strings.HasPrefix(f.Rule, tt.rule) || !strings.Contains(f.Subject, tt.subject) {
			continue
		}
		if f.Position.Line == 0 {
			t.Errorf("%s %s has no place", f.Rule, f.Subject)
		}
		lines := strings.Split(text, "\n")
		if tt.at != "" && (f.Position.Line > len(lines) || !strings.Contains(lines[f.Position.Line-1], tt.at)) {
			t.Errorf("%s %s is at %s, which is not at %q", f.Rule, f.Subject, f.Position, tt.at)
		}
		return
	}
	var b bytes.Buffer
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "  %s %s %s: %s\n", f.Class, f.Rule, f.Subject, f.Message)
	}
	t.Errorf("no %s %s found, but:\n%s%v", tt.rule, tt.subject, b.String(), r.Problems)
}

// TestRoundTrip reads a report back and renders it again, in every form.
func TestRoundTrip(t *testing.T) {
	first := driftReport(t)
	var saved bytes.Buffer
	if err := first.JSON(&saved); err != nil {
		t.Fatal(err)
	}
	second, err := report.Read("saved", bytes.NewReader(saved.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range report.Renderings() {
		var a, b bytes.Buffer
		if err := first.Render(&a, format, report.Style{}); err != nil {
			t.Fatal(err)
		}
		if err := second.Render(&b, format, report.Style{}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(a.String(), b.String()); diff != "" || a.Len() == 0 {
			t.Errorf("%s of a saved report (-want +got):\n%s", format, diff)
		}
	}
}

// TestKnownRules holds that each finding has a rule in the reference.
func TestKnownRules(t *testing.T) {
	id := regexp.MustCompile(`"((?:seccomp|netpol|caps|workload)/[a-z]+(?:-[a-z]+)*)"`)
	for _, pattern := range []string{"*.go", "../policies/seccomp/*.go", "../policies/netpol/*.go", "../policies/caps/*.go"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || file == "fix.go" { // which has beginnings of ids
				continue
			}
			for _, match := range id.FindAllStringSubmatch(readFile(t, file), -1) {
				if _, ok := report.RuleOf(match[1]); !ok {
					t.Errorf("%s: %s is not among report.Rules", file, match[1])
				}
			}
		}
	}
}
