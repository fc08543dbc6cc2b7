package main

import (
	"bytes"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"advisor/monitor"
	"advisor/trace"
)

// TestWaiting says which names nobody goes by, and who is there under others:
// every half minute where nobody looks, and on a line of the terminal's width.
func TestWaiting(t *testing.T) {
	st := monitor.Status{Containers: 1, Quiet: 3 * time.Second, Unseen: []string{"--container=reddis"}, Others: []string{"pg", "redis"}}
	const line = "advisor: 30s, 1 container, 0 records, 0 B, 0 lost, quiet for 3s" +
		"; not seen yet: --container=reddis; not selected: pg, redis"
	var said bytes.Buffer
	p := progress{s: streams{err: &said}}
	for st.Elapsed = time.Second; st.Elapsed <= 30*time.Second; st.Elapsed += time.Second {
		p.status(st)
	}
	if diff := cmp.Diff(line+"\n", said.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	said.Reset()
	p = progress{s: streams{err: &said}, columns: 40}
	st.Elapsed = 30 * time.Second
	p.status(st)
	slog.New(warnings{&p}).Warn("the disk is full", "error", errors.New("no space"), "trace", "x.log")
	want := "\r\x1b[K" + line[:39] + "\r\x1b[Kadvisor: warning: the disk is full: no space (trace x.log)\n"
	if diff := cmp.Diff(want, said.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestSummary does not call a recording good that lacks a start.
func TestSummary(t *testing.T) {
	of := func(complete trace.Complete, late ...string) string {
		var said bytes.Buffer
		p := progress{s: streams{err: &said}, name: "t.log"}
		p.summary(monitor.Result{Status: monitor.Status{Containers: 9}, Complete: complete, Late: late})
		_, last, _ := strings.Cut(said.String(), "\n")
		return last
	}
	for want, got := range map[string]string{
		"advisor: complete: good to report\n": of(trace.CompleteTrue),
		"advisor: complete: good to report, but for the start of a, b, c, d, e and 1 more: it ran before recording began. " +
			"A container that starts again while advisor records has all\n": of(trace.CompleteTrue, "a", "b", "c", "d", "e", "f"),
		"advisor: not complete: reports will say so\n": of(trace.CompleteFalse, "a"),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestCleanUp is content where there is nothing to end.
func TestCleanUp(t *testing.T) {
	var said bytes.Buffer
	dir := filepath.Join(t.TempDir(), "advisor")
	if err := cleanUp(streams{err: &said}, dir); err != nil {
		t.Error(err)
	}
	if want := "advisor: nothing to end: no recording is kept in " + dir + "\n"; said.String() != want {
		t.Errorf("said %q, want %q", said.String(), want)
	}
}

// TestLossLines sums up by kind, and names whose losses they are.
func TestLossLines(t *testing.T) {
	peers := trace.Loss{Probe: "network", Stage: "map", Reason: "too many distinct peers"}
	slots := trace.Loss{Probe: "syscalls", Stage: "slot", Reason: "more than 2 containers at a time", Count: 4}
	of := func(l trace.Loss, container string, count uint64) trace.Loss {
		l.Container, l.Count = container, count
		return l
	}
	losses := []trace.Loss{of(peers, "b", 2), of(peers, "a", 3), slots}
	for _, id := range []string{"1", "2", "3", "4", "5", "6", "7"} {
		losses = append(losses, of(slots, id, 1))
	}
	want := []string{
		"lost: 5 at network/map: too many distinct peers; of b, web",
		"lost: 11 at syscalls/slot: more than 2 containers at a time; of 1, 2, 3, 4, 5 and 2 more",
	}
	if diff := cmp.Diff(want, lossLines(losses, map[string]string{"a": "web"})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := lossLines(nil, nil); got != nil {
		t.Errorf("of no loss: %v", got)
	}
}
