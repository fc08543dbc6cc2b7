package policies_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"advisor/policies"
	"advisor/trace"
)

// TestSamples keeps the first connection of each recording of a container: the
// same address may be another's on the next day.
func TestSamples(t *testing.T) {
	accept := func(s, port int) *trace.Accept {
		return &trace.Accept{Container: "a", Protocol: trace.TCP, Address: "10.0.0.2", Port: 80,
			Remote: "10.0.0.9", PeerPort: port, Sighting: by(s, "nginx")}
	}
	day := func(start int, facts ...trace.Record) []trace.Record {
		h := header("n1")
		h.Start = at(start)
		return append([]trace.Record{h}, facts...)
	}
	// The third recording repeats what the second knew.
	got := observe(day(0, accept(3, 5003), accept(2, 5002)), day(10, accept(12, 5012)), day(20, accept(12, 5012)))
	want := []policies.Sample{
		{Time: at(2), Container: "a", Node: "n1", Address: "10.0.0.2", Port: 5002},
		{Time: at(12), Container: "a", Node: "n1", Address: "10.0.0.2", Port: 5012},
	}
	if diff := cmp.Diff(want, got[0].Accepts[0].Samples); diff != "" {
		t.Errorf("samples (-want +got):\n%s", diff)
	}
	if port := got[0].Accepts[0].PeerPort; port != 5002 {
		t.Errorf("the first sighting came from port %d, want 5002", port)
	}
}

func TestSamplesAreBounded(t *testing.T) {
	var records []trace.Record
	for i := range 100 {
		h := header("n1")
		h.Start = at(i)
		records = append(records, h, &trace.Connect{Container: "a", Protocol: trace.TCP, Remote: "10.0.0.9",
			Port: 80, Result: trace.ResultEstablished, Local: 5000 + i, Sighting: by(i, "web")})
	}
	got := observe(records)[0].Connects[0]
	if len(got.Samples) != 64 || got.Samples[63].Port != 5063 || got.Local != 5000 {
		t.Errorf("%d samples from port %d on", len(got.Samples), got.Local)
	}
}
