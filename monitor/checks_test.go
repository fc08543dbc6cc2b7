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
	for _, name := range []string{"kernel", "system calls", "files and last calls", "capability checks", "TCP", "UDP"} {
		if found[name].Detail == "" {
			t.Errorf("nothing said about %s", name)
		}
	}
}

func TestLocksMemory(t *testing.T) {
	for release, want := range map[string]bool{
		"4.19.0-6-amd64": true, "5.10.0-9": true, "5.11.0": false, "6.1.0-18-amd64": false, "6.18": false, "odd": true,
	} {
		if got := locksMemory(release); got != want {
			t.Errorf("%s: %t", release, got)
		}
	}
}
