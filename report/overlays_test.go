package report_test

import (
	"strings"
	"testing"

	"advisor/report"
)

// TestOverlays: of two declarations of one workload the second is not said to be of a
// workload that nobody saw.
func TestOverlays(t *testing.T) {
	pod := strings.Replace(onePod, "namespace: shop", "namespace: shop, labels: {app: web}", 1)
	inDir(t, map[string]string{"dev/web.yaml": pod, "prod/web.yaml": pod, "trace.log": `{"type":"header","schema":"advisor.trace/v1","node":"n","start":"2026-01-02T03:04:00Z"}
{"type":"container","id":"c","runtime":"cri","pod":{"namespace":"shop","name":"web","uid":"u","container":"main","owner":{"kind":"Pod","name":"web"}}}
{"type":"capability","container":"c","phase":"run","name":"CHOWN","allowed":true,"syscall":"chown","outcome":"ok","userns":"container"}
{"type":"end","time":"2026-01-02T05:18:00Z","records":4,"complete":"true"}
`})
	m, err := report.LoadManifests([]string{"dev", "prod"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen, err := report.Observe([]string{"trace.log"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := report.Diff(seen, m, report.Comparison{Kinds: report.Kinds()})
	if err != nil {
		t.Fatal(err)
	}
	said := ""
	for _, f := range r.Findings {
		if f.Rule == report.RuleUnobserved {
			said += f.Position.String() + ": " + f.Message
		}
	}
	if !strings.HasPrefix(said, "prod/web.yaml:6:5: declared at dev/web.yaml:6:5, too, ") {
		t.Errorf("%q", said)
	}
}
