package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestUnusedIsOneLine says once what is said of many capabilities.
func TestUnusedIsOneLine(t *testing.T) {
	p := Policy{Kind: KindCaps, Lines: []Line{
		{Subject: "CHOWN", Reason: "needed", Phase: "run", Detail: "granted, and chown succeeded"},
		{Subject: "FOWNER", Reason: reasonUnused, Detail: detailUnused},
		{Subject: "KILL", Reason: reasonUnused, Detail: detailUnused},
	}}
	var b strings.Builder
	if err := p.EvidenceText(&b); err != nil {
		t.Fatal(err)
	}
	want := "  CHOWN  needed  run  granted, and chown succeeded\n" +
		"  unused: FOWNER, KILL (granted while recording, and nothing in it needed this)\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
