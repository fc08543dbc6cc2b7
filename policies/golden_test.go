package policies_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"advisor/policies"
	"advisor/trace"
)

var update = flag.Bool("update", false, "rewrite the files that golden tests compare with")

// TestGolden observes two nodes that ran a shop: a Deployment that was
// restarted on one of them and was there before recording on the other, which
// has no end; a service of a compose project; and a container nobody knows.
func TestGolden(t *testing.T) {
	const dir, golden = "../fixtures/observe", "../fixtures/observe/observations.json"
	o := policies.NewObserver()
	for _, name := range []string{"node-2.log", "node-1.log"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if bad, err := o.Read(trace.NewReader(bytes.NewReader(text), name)); err != nil || len(bad) > 0 {
			t.Fatal(err, bad)
		}
	}
	got, err := json.MarshalIndent(o.Observations(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("observations (-want +got):\n%s", diff)
	}
}
