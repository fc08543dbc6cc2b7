package monitor

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"advisor/monitor/container"
	"advisor/trace"
)

// TestStartedAgain starts containers again at once after they have ended, one that
// was seen to start and one that was there before recording: each start has a
// time and an end of its own, and who was seen to start is late no more.
func TestStartedAgain(t *testing.T) {
	seen, before := fmt.Sprintf("advisor-again-%d", os.Getpid()), fmt.Sprintf("advisor-before-%d", os.Getpid())
	dir := bundle(t, "true; exit 7")
	stop := runFor(t, bundle(t, "sleep 1000"), before)
	ctx, cancel := context.WithCancel(t.Context())
	got := run(t, ctx, Options{
		Selection: container.Selection{Containers: []string{seen, before}},
		Ready: func(Status) {
			go func() {
				defer cancel()
				runNamed(t, dir, seen)
				runNamed(t, dir, seen)
				stop()
				runNamed(t, dir, before)
			}()
		},
	})
	if len(got.Late) > 0 {
		t.Errorf("late: %v, want none: both were seen to start", got.Late)
	}
	for name, wantCodes := range map[string][]int{seen: {7, 7}, before: {137, 7}} {
		var codes []int
		for _, exit := range of[*trace.Exit](got, name) {
			if exit.Code != nil {
				codes = append(codes, *exit.Code)
			}
		}
		if !slices.Equal(codes, wantCodes) {
			t.Errorf("%s: ended with %v, want %v", name, codes, wantCodes)
		}
	}
	if starts := startsOf(got, seen); len(starts) != 2 {
		t.Errorf("%s: starts %+v, want two", seen, starts)
	}
	starts := startsOf(got, before)
	if len(starts) != 2 || !starts[0].Existed || starts[1].Existed || slices.Contains(starts[1].Flags, trace.FlagLate) {
		t.Errorf("%s: starts %+v, want a late one and another", before, starts)
	}
	if !slices.ContainsFunc(of[*trace.Syscall](got, before), func(c *trace.Syscall) bool {
		return c.Phase == trace.PhaseStart
	}) {
		t.Errorf("%s: no call of its second start", before)
	}
}

// startsOf are the last words about each start of the container called name, by
// when it was: of an earlier one may be heard after a later one.
func startsOf(got recorded, name string) []trace.Container {
	last := make(map[time.Time]trace.Container)
	for _, rec := range got.records {
		if c, ok := rec.(*trace.Container); ok && c.Name == name {
			last[c.Started.UTC()] = *c
		}
	}
	return slices.SortedFunc(maps.Values(last), func(a, b trace.Container) int { return a.Started.Compare(b.Started) })
}

// runFor starts a container that runs until stop is called.
func runFor(t *testing.T, dir, name string) (stop func()) {
	t.Helper()
	cmd := exec.Command("runc", "run", name)
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		if out, err := exec.Command("runc", "kill", name, "KILL").CombinedOutput(); err != nil {
			t.Errorf("ending %s: %v: %s", name, err, out)
		}
		_ = cmd.Wait() // killed, as it should
	}
	t.Cleanup(stop)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		out, err := exec.Command("runc", "ps", name).CombinedOutput()
		if err == nil {
			return stop
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not run: %v: %s", name, err, out)
		}
	}
}

// TestQuietWithCounts ends when nothing new is seen, however much is counted, and
// says how long that was and whose start is missing.
func TestQuietWithCounts(t *testing.T) {
	name := fmt.Sprintf("advisor-busy-%d", os.Getpid())
	stop := runFor(t, bundle(t, "while :; do : </dev/null; done"), name)
	defer stop()
	const quiet = 3 * time.Second
	got := run(t, t.Context(), Options{
		Selection: container.Selection{Containers: []string{name}}, Counts: true,
		UntilQuiet: quiet, Duration: time.Minute,
	})
	if got.Reason != "quiet" || got.Quiet < quiet {
		t.Errorf("ended because of %s after %v without anything new, want quiet after %v", got.Reason, got.Quiet, quiet)
	}
	if !slices.Equal(got.Late, []string{name}) {
		t.Errorf("late: %v, want %s", got.Late, name)
	}
	if counts := of[*trace.Counts](got, name); len(counts) == 0 {
		t.Error("nothing was counted")
	}
}
