package policies_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"advisor/policies/netpol"
	"advisor/trace"
)

// TestIDsOfSeveralNodes holds that containers which go by the same id on two
// nodes stay apart, in facts and as peers.
func TestIDsOfSeveralNodes(t *testing.T) {
	machine := func(name, ip string) *trace.Container {
		return &trace.Container{ID: "machine", Runtime: "nspawn", Name: name, Started: at(1), IPs: []string{ip}}
	}
	connect := &trace.Connect{Container: "machine", Protocol: "TCP", Remote: "10.0.0.2", Port: 80,
		Result: trace.ResultEstablished, Sighting: by(3, "curl")}
	accept := &trace.Accept{Container: "machine", Protocol: "TCP", Port: 80, Remote: "10.0.0.1", Sighting: by(3, "nginx")}
	exit := &trace.Exit{Container: "machine", Time: at(9)}
	obs := observe(
		[]trace.Record{header("n1"), machine("client", "10.0.0.1"), connect, finish(60)},
		[]trace.Record{header("n2"), machine("server", "10.0.0.2"), accept, exit, finish(60)},
		[]trace.Record{machine("elsewhere", "10.0.0.3"), finish(60)},
	)
	var ids []string
	for _, o := range obs {
		ids = append(ids, o.Containers[0].ID)
		for _, c := range o.Connects {
			ids = append(ids, c.Container, c.Samples[0].Container)
		}
		for _, a := range o.Accepts {
			ids = append(ids, a.Container, a.Samples[0].Container)
		}
		for _, e := range o.Exits {
			ids = append(ids, e.Container)
		}
	}
	want := []string{"machine@n1", "machine@n1", "machine@n1", "machine",
		"machine@n2", "machine@n2", "machine@n2", "machine@n2"}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("ids (-want +got)\n%s", diff)
	}
	inv, _ := netpol.NewInventory(nil, obs)
	flows, _ := netpol.Flows(obs, inv)
	if len(flows) != 1 || flows[0].String() != "Container/client -> Container/server TCP 80" {
		t.Errorf("flows %v", flows)
	}
}
