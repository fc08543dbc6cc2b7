package monitor

import (
	"os/exec"
	"testing"
	"time"

	"advisor/bpf"
	"advisor/fixtures/bed"
)

// TestNobodysConnections: connections in a network that no container is in do not
// stay in the kernel's table, which would be full one day.
func TestNobodysConnections(t *testing.T) {
	bed.Require(t, "unshare", "ip")
	r := byHand(t, Options{Denied: "off"})
	args := self(t, "often")
	out, err := exec.Command("unshare", "-n", "sh", "-c", `ip link set lo up; exec "$@"`, "sh", args[0], args[1], args[2]).
		CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	const port = 39311
	left := func() (n int) {
		var key bpf.RecorderNetKey
		var val bpf.RecorderNetVal
		it := r.p.coll.Maps[bpf.RecorderMapNets].Iterate()
		for it.Next(&key, &val) {
			if key.Id == 0 && key.Rport == port {
				n++
			}
		}
		return n
	}
	tidy := func() {
		for range tidyEvery {
			r.look(t)
		}
	}
	if tidy(); left() == 0 {
		t.Fatal("no connection is nobody's: this test shows nothing, or a container that is named late loses some")
	}
	for id := range r.facts.in[0].nets.since {
		r.facts.in[0].nets.since[id] = time.Now().Add(-2 * unownedFor)
	}
	if tidy(); left() > 0 {
		t.Errorf("%d connections of nobody are still there", left())
	}
}
