package report_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"advisor/report"
)

// TestSuggestSeveralContainers holds that what would fit one container of a pod
// does not end up with another, and that the pod's network policy stands once.
func TestSuggestSeveralContainers(t *testing.T) {
	trace := readFile(t, "testdata/shop.log")
	var second []string
	for line := range strings.Lines(trace) {
		if strings.Contains(line, `"c1"`) {
			line = strings.NewReplacer(`"c1"`, `"c9"`, `"container":"server"`, `"container":"sidecar"`).Replace(line)
			second = append(second, line)
		}
	}
	lines := strings.SplitAfter(trace, "\n")
	end := len(lines) - 1
	for !strings.Contains(lines[end], `"type":"end"`) {
		end--
	}
	file := filepath.Join(t.TempDir(), "trace.log")
	text := strings.Join(lines[:end], "") + strings.Join(second, "") + lines[end]
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	seen, err := report.Observe([]string{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	manifests, err := report.LoadManifests([]string{"testdata/shop.yaml"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := report.Diff(seen, manifests, report.Comparison{Kinds: report.Kinds(), Policies: true})
	if err != nil {
		t.Fatal(err)
	}
	containers := make(map[string]bool)
	netpols := make(map[string]int)
	for _, w := range r.Workloads {
		for _, p := range w.Policies {
			if p.Kind == report.KindNetpol {
				netpols[p.Workload.String()]++
				continue
			}
			containers[w.Workload.Container] = true
			if p.Workload != w.Workload {
				t.Errorf("the %s of %s stands with %s", p.Kind, p.Workload, w.Workload)
			}
		}
	}
	if !containers["sidecar"] {
		t.Errorf("nothing stands with the sidecar: %v", containers)
	}
	for w, n := range netpols {
		if n != 1 {
			t.Errorf("%d network policies of %s", n, w)
		}
	}
}
