package netpol

import (
	"testing"
	"time"

	"advisor/policies"
	"advisor/trace"

	"github.com/google/go-cmp/cmp"
)

// TestFlowsOfAnAddressThatChangedHands has an address that was one pod's on one
// day and another's on the next: both are peers.
func TestFlowsOfAnAddressThatChangedHands(t *testing.T) {
	day := 24 * time.Hour
	old := observed{deployment("shop", "old", "10.1.2.9")}
	old.Containers[0].Started = noon
	old.Exits = []trace.Exit{{Container: "old-c", Time: noon.Add(time.Hour)}}
	young := observed{deployment("shop", "young", "10.1.2.9")}
	young.Containers[0].Started = noon.Add(day)
	web := observed{deployment("shop", "web", "10.1.2.3")}.accept("TCP", "10.1.2.9", 8080, 40001)
	web.Accepts[0].Samples = []policies.Sample{
		{Time: noon, Container: "web-c", Port: 40001},
		{Time: noon.Add(day), Container: "web-c", Port: 40002},
	}
	obs := all(old, young, web)
	flows, _ := Flows(obs, inventory(t, "", obs))
	var got []string
	for _, f := range flows {
		got = append(got, f.String())
	}
	want := []string{
		"shop/Deployment/old -> shop/Deployment/web TCP 8080",
		"shop/Deployment/young -> shop/Deployment/web TCP 8080",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("flows (-want +got):\n%s", diff)
	}
}
