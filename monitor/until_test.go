package monitor

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"advisor/monitor/container"
	"advisor/trace"
)

func TestUnknownSelection(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace.log")
	_, err := Run(t.Context(), Options{
		Output: path, Duration: 300 * time.Millisecond,
		Selection:     container.Selection{Containers: []string{"nobody"}},
		SelectionText: []string{"--container=nobody"},
	})
	if !errors.Is(err, ErrNoContainer) {
		skipOrFail(t, err)
	}
	if !strings.Contains(err.Error(), "nobody") {
		t.Errorf("error %q does not name what was selected", err)
	}
	all := read(t, path)
	if end, ok := all[len(all)-1].(*trace.End); !ok || end.Reason != "duration" {
		t.Errorf("last record %+v, want an end by duration", all[len(all)-1])
	}
}

func TestUntilQuiet(t *testing.T) {
	res, err := Run(t.Context(), Options{
		Output:     filepath.Join(t.TempDir(), "trace.log"),
		UntilQuiet: time.Second, Duration: 30 * time.Second,
		Selection: container.Selection{Containers: []string{"nobody"}},
	})
	if !errors.Is(err, ErrNoContainer) {
		skipOrFail(t, err)
	}
	if res.Reason != "quiet" {
		t.Errorf("ended because of %s, want quiet", res.Reason)
	}
}

// TestFullSlots counts and names what does not fit.
func TestFullSlots(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	got := run(t, ctx, Options{
		Slots: 3, Selection: container.Selection{Host: true},
		Ready: func(Status) { go sleepers(cancel) },
	})
	// Other containers of this machine may have taken a slot first.
	if found := len(setsOf(got, "/sleep")); found > 3 {
		t.Errorf("%d namespaces recorded, want at most 3", found)
	}
	if got.Complete != trace.CompleteFalse || got.Lost == 0 {
		t.Errorf("complete %s, %d lost; want an incomplete trace", got.Complete, got.Lost)
	}
	loss, flagged := false, 0
	for _, rec := range got.records {
		switch rec := rec.(type) {
		case *trace.Loss:
			loss = loss || rec.Stage == "slot" && rec.Count > 0
		case *trace.Container:
			if slices.Contains(rec.Flags, trace.FlagIncomplete) {
				flagged++
			}
		}
	}
	if !loss || flagged < 3 {
		t.Errorf("loss of slots written %t; %d containers named as incomplete, want 3", loss, flagged)
	}
}

// sleepers has six namespaces at a time.
func sleepers(done func()) {
	defer done()
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() { _ = exec.Command("unshare", "-m", "sleep", "3").Run() })
	}
	wg.Wait()
}

// TestSlotsAreReused runs more namespaces, in two lots, than there are slots.
func TestSlotsAreReused(t *testing.T) {
	const lot = 60
	ctx, cancel := context.WithCancel(t.Context())
	got := run(t, ctx, Options{
		Slots: lot + 50, Selection: container.Selection{Host: true},
		Ready: func(Status) {
			go func() {
				defer cancel()
				many(lot)
				time.Sleep(keepEnded + 4*scanEvery)
				many(lot)
			}()
		},
	})
	if found := len(setsOf(got, "/true")); found != 2*lot {
		t.Errorf("%d of %d namespaces found, %d calls lost", found, 2*lot, got.Lost)
	}
}

func many(n int) {
	for range n {
		_ = exec.Command("unshare", "-m", "true").Run()
	}
}
