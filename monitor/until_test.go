package monitor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
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

// TestUntilExitByName selects two containers by name, the second of which begins
// when the first has been gone for long: that is waited for.
func TestUntilExitByName(t *testing.T) {
	dir := bundle(t, "true; exit 7")
	names := []string{fmt.Sprintf("advisor-first-%d", os.Getpid()), fmt.Sprintf("advisor-second-%d", os.Getpid())}
	beat := make(chan struct{})
	done, ended := make(chan struct{}), make(chan struct{})
	o := Options{
		Selection: container.Selection{Containers: names}, UntilExit: true, Duration: time.Minute,
		Status: func(Status) {
			select {
			case beat <- struct{}{}:
			default:
			}
		},
	}
	o.Ready = func(Status) {
		go func() {
			defer close(done)
			runNamed(t, dir, names[0])
			// It has ended for the recorder, too, and that goes on.
			for range 6 {
				select {
				case <-beat:
				case <-ended:
				}
			}
			runNamed(t, dir, names[1])
		}()
	}
	got := run(t, t.Context(), o)
	close(ended)
	<-done
	for _, name := range names {
		if exits := of[*trace.Exit](got, name); len(exits) != 1 {
			t.Errorf("%s: exits %+v, want one", name, exits)
		}
	}
	if got.Reason != "exit" || len(got.Unseen) > 0 {
		t.Errorf("ended because of %s, never seen %v; want exit and none", got.Reason, got.Unseen)
	}
}

// TestNeverSeen says which of the names that are selected nobody had.
func TestNeverSeen(t *testing.T) {
	dir := bundle(t, "true; exit 7")
	name := fmt.Sprintf("advisor-seen-%d", os.Getpid())
	ctx, cancel := context.WithCancel(t.Context())
	got := run(t, ctx, Options{
		Selection: container.Selection{Containers: []string{name, "advisor-nobody"}},
		Ready: func(Status) {
			go func() {
				defer cancel()
				runNamed(t, dir, name)
			}()
		},
	})
	if want := []string{"--container=advisor-nobody"}; !slices.Equal(got.Unseen, want) {
		t.Errorf("never seen %v, want %v", got.Unseen, want)
	}
}

// runNamed runs a container of the bundle, which ends with 7.
func runNamed(t *testing.T, dir, name string) {
	cmd := exec.Command("runc", "run", name)
	cmd.Dir = dir
	if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("running a container: %v: %s", cmd.ProcessState, out)
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
	of, sum := make(map[string]bool), uint64(0)
	for _, l := range got.Losses {
		if !l.EvidenceOnly {
			sum += l.Count
		}
		if l.Stage == "slot" && l.Container != "" && got.Losers[l.Container] != "" {
			of[l.Container] = true
		}
	}
	if len(of) < 3 || sum != got.Lost {
		t.Errorf("losses of %d containers, want 3; %d in all, the recording says %d", len(of), sum, got.Lost)
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
				forks(t, 0, lot)
				time.Sleep(keepEnded + 4*scanEvery)
				forks(t, lot, lot)
			}()
		},
	})
	if found, whole := wholeForks(t, got, 2*lot); found != 2*lot || whole != found {
		t.Errorf("%d of %d namespaces found, %d whole, %v", found, 2*lot, whole, brief(got.Losses))
	}
}

// forks makes tagged namespaces.
func forks(t *testing.T, from, n int) {
	args := self(t, "fork", strconv.Itoa(from), strconv.Itoa(n))
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Errorf("forking: %v: %s", err, out)
	}
}
