package policies_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"advisor/policies"
	"advisor/trace"
)

// TestMergeKeepsWhatIsObserved merges random traces and observes the result,
// and the inputs.
func TestMergeKeepsWhatIsObserved(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 5))
		var texts [][]byte
		for i := range 1 + r.IntN(4) {
			texts = append(texts, text(t, randomTrace(r, i)))
		}
		merged := merge(t, texts)
		want, got := observeTexts(t, texts), observeTexts(t, [][]byte{merged})
		same := cmpopts.IgnoreFields(policies.Evidence{}, "Traces", "Notes")
		if diff := cmp.Diff(want, got, same); diff != "" {
			t.Fatalf("seed %d (-inputs +merged):\n%s", seed, diff)
		}
		slices.Reverse(texts)
		if again := merge(t, append(texts, texts[0])); !bytes.Equal(merged, again) {
			t.Fatalf("seed %d (-merged +merged in another order):\n%s", seed, cmp.Diff(string(merged), string(again)))
		}
		if again := merge(t, [][]byte{merged}); !bytes.Equal(merged, again) {
			t.Fatalf("seed %d (-merged +merged again):\n%s", seed, cmp.Diff(string(merged), string(again)))
		}
	}
}

// text writes a trace; of several ends, which no trace has, it keeps the last.
func text(t *testing.T, records []trace.Record) []byte {
	var out bytes.Buffer
	w := trace.NewWriter(&out)
	var end trace.Record
	for _, rec := range records {
		if rec.Type() == "end" {
			end = rec
			continue
		}
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	if end != nil {
		if err := w.Write(end); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func merge(t *testing.T, texts [][]byte) []byte {
	var out bytes.Buffer
	w := trace.NewWriter(&out)
	var m trace.Merge
	for i, text := range texts {
		if bad, err := m.Add(trace.NewReader(bytes.NewReader(text), fmt.Sprint("t", i))); err != nil || len(bad) > 0 {
			t.Fatal(err, bad)
		}
	}
	if err := m.Write(w); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func observeTexts(t *testing.T, texts [][]byte) []policies.Observation {
	o := policies.NewObserver()
	for i, text := range texts {
		if bad, err := o.Read(trace.NewReader(bytes.NewReader(text), fmt.Sprint("t", i))); err != nil || len(bad) > 0 {
			t.Fatal(err, bad)
		}
	}
	return o.Observations()
}
