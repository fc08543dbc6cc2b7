package monitor

import "testing"

func TestProbeFindsTheProbes(t *testing.T) {
	if err := privileged(Options{}); err != nil {
		skipOrFail(t, err)
	}
	found := make(map[string]Check)
	for _, c := range Probe(t.Context()) {
		found[c.Name] = c
		if c.Needed && !c.OK {
			t.Errorf("%s: %s", c.Name, c.Detail)
		}
	}
	for _, name := range []string{"kernel", "system calls", "capability checks", "TCP", "UDP"} {
		if found[name].Detail == "" {
			t.Errorf("nothing said about %s", name)
		}
	}
}
