package report_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"advisor/report"
)

// TestCompareWithTheCapabilities: the runtime's own profile lets more calls pass where
// the container is granted more.
func TestCompareWithTheCapabilities(t *testing.T) {
	pod := onePod + "    securityContext: {seccompProfile: {type: RuntimeDefault}, capabilities: {drop: [ALL], add: [%s]}}\n"
	var sides [2]report.Manifests
	for i, name := range []string{"CHOWN", "SYS_TIME"} {
		inDir(t, map[string]string{"web.yaml": strings.Replace(pod, "%s", name, 1)})
		m, err := report.LoadManifests([]string{"."}, nil)
		if err != nil {
			t.Fatal(err)
		}
		sides[i] = m
	}
	list, err := report.CompareManifests(sides[0], sides[1], report.Comparison{Kinds: []string{report.KindSeccomp}})
	var got []string
	for _, d := range list {
		got = append(got, string(d.Effect)+" "+d.Subject)
	}
	want := []string{"looser clock_settime", "looser clock_settime (i386)", "looser clock_settime (x32)", "looser clock_settime64 (i386)",
		"looser settimeofday", "looser settimeofday (i386)", "looser settimeofday (x32)", "looser stime (i386)"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}
