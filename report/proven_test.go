package report

import (
	"errors"
	"strings"
	"testing"
	"time"

	"advisor/policies"
)

func TestUnprovenPolicyIsNotGiven(t *testing.T) {
	w := policies.Workload{Kind: policies.KindContainer, Name: "web"}
	p := Policy{
		Kind: KindSeccomp, Workload: w, Text: "{}",
		Proof: policies.Proof{Failed: []string{"read", "write", "close", "mmap"}},
	}
	got, err := p.proven()
	var unproven *UnprovenError
	if !errors.As(err, &unproven) || got.Text != "" {
		t.Fatalf("proven() = %q, %v", got.Text, err)
	}
	want := "the seccomp policy of Container/web fails its proof: read; write; close and 1 more"
	if err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
}

func TestMatchWorkload(t *testing.T) {
	web := policies.Workload{Namespace: "shop", Kind: "Deployment", Name: "web", Container: "server"}
	image := policies.Workload{Kind: policies.KindImage, Name: "registry.example/a/b:1"}
	tests := []struct {
		pattern  string
		workload policies.Workload
		want     bool
	}{
		{"", web, true},
		{"*", web, true},
		{"web", web, true},
		{"we*", web, true},
		{"Deployment/web", web, true},
		{"shop/web", web, true},
		{"shop/*", web, true},
		{"shop/Deployment/web", web, true},
		{"shop/Deployment/web:server", web, true},
		{"shop/Deployment/web container=server", web, true},
		{"web:proxy", web, false},
		{"mall/*", web, false},
		{"shop", web, false},
		{"registry.example/*", image, true},
		{"Image/*", image, true},
	}
	for _, tt := range tests {
		if got := MatchWorkload(tt.pattern, tt.workload); got != tt.want {
			t.Errorf("MatchWorkload(%q, %s) = %v, want %v", tt.pattern, tt.workload, got, tt.want)
		}
	}
}

func TestFileStem(t *testing.T) {
	for _, tt := range []struct {
		workload policies.Workload
		want     string
	}{
		{policies.Workload{Namespace: "shop", Kind: "Deployment", Name: "web", Container: "server"}, "shop-deployment-web-server"},
		{policies.Workload{Kind: policies.KindContainer, Name: "Web_1"}, "web_1"},
		{policies.Workload{Kind: policies.KindImage, Name: "reg.example/a/b:1"}, "reg.example-a-b-1"},
		{policies.Workload{Kind: policies.KindCommand, Name: "../../etc/passwd"}, "etc-passwd"},
	} {
		if got := FileStem(tt.workload); got != tt.want {
			t.Errorf("FileStem(%s) = %q, want %q", tt.workload, got, tt.want)
		}
	}
}

func TestTellApart(t *testing.T) {
	list := []Policy{{File: "web.caps.yaml"}, {File: "db.caps.yaml"}, {File: "web.caps.yaml"}}
	tellApart(list)
	if list[0].File != "web.caps.yaml" || list[2].File != "web-2.caps.yaml" {
		t.Errorf("files %q, %q", list[0].File, list[2].File)
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 1500 * time.Microsecond: "2ms", 1500 * time.Millisecond: "1.5s", 187 * time.Second: "3m7s",
		2*time.Hour + 14*time.Minute: "2h14m", 26 * time.Hour: "1d2h",
	} {
		if got := duration(d); got != want {
			t.Errorf("duration(%s) = %q, want %q", d.String(), got, want)
		}
	}
}

// TestGitHubLimits floods GitHub's renderer: no level gets more annotations
// than are shown, and what goes into a command cannot end it.
func TestGitHubLimits(t *testing.T) {
	r := Report{Findings: []policies.Finding{}}
	for _, class := range Classes() {
		for range 30 {
			r.Findings = append(r.Findings, policies.Finding{
				Class: class, Rule: "a/b", Subject: "x\n::error::y", Message: "100%",
				Position: policies.Position{File: "a,b:c.yaml", Line: 1},
			})
		}
	}
	var b strings.Builder
	if err := r.GitHub(&b); err != nil {
		t.Fatal(err)
	}
	count := make(map[string]int)
	for line := range strings.Lines(b.String()) {
		level, _, _ := strings.Cut(strings.TrimPrefix(line, "::"), " ")
		count[level]++
		if level != "notice" && !strings.Contains(line, "file=a%2Cb%3Ac.yaml,line=1,") {
			t.Errorf("an annotation without its place: %s", line)
		}
	}
	for level, n := range count {
		if n != githubLimit {
			t.Errorf("%d of %s, want %d", n, level, githubLimit)
		}
	}
	if len(count) != 3 {
		t.Errorf("levels %v", count)
	}
}

// TestLimits floods the renderers that have one.
func TestLimits(t *testing.T) {
	r := Report{Findings: []policies.Finding{}}
	for i := range 5000 {
		r.Findings = append(r.Findings, policies.Finding{
			Class: policies.Missing, Rule: "caps/missing", Subject: strings.Repeat("x", i%50),
			Workload: policies.Workload{Kind: "Pod", Name: "p" + strings.Repeat("y", i%90)}, Message: "m",
		})
	}
	var markdown strings.Builder
	if err := r.Markdown(&markdown); err != nil {
		t.Fatal(err)
	}
	if markdown.Len() > 65536 || !strings.Contains(markdown.String(), "left out to keep this short") {
		t.Errorf("markdown of %d bytes", markdown.Len())
	}
	if n := len(joined(r.Findings, sarifLimit)); n != 90 {
		t.Errorf("%d SARIF results, want one for each of 90 pods", n)
	}
}
