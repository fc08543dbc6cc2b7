package monitor

import (
	"errors"
	"path/filepath"
	"strconv"
	"testing"

	"advisor/trace"
)

// TestRefusedRecord: a record that the format refuses is lost, of its container
// and of no other, and says the same however many there are.
func TestRefusedRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace.log")
	out, err := create(Options{Output: path})
	if err != nil {
		t.Fatal(err)
	}
	r := &recording{out: out, lossesSaid: make(map[trace.Loss]uint64)}
	r.o.Log = out.o.Log
	r.write(&trace.Header{Schema: trace.Schema})
	for nr := range 3 {
		r.write(&trace.Syscall{Container: "web", Phase: trace.PhaseRun, Arch: "x86_64", Nr: -1 - nr})
	}
	r.write(&trace.End{Lost: r.lost, Complete: r.complete()})
	if err := errors.Join(out.flush(), out.close()); err != nil {
		t.Fatal(err)
	}
	for _, rec := range read(t, path) {
		if loss, ok := rec.(*trace.Loss); ok && loss.Container != "web" {
			t.Errorf("lost %+v, want it of web", loss)
		}
	}
	if len(r.lossesSaid) != 1 || r.lost != 3 {
		t.Errorf("%d lost in %d ways, want 3 in one", r.lost, len(r.lossesSaid))
	}
}

// TestNumbersBelowZero: a program that asks for what is no call, as some do to find
// out how they are answered, makes nothing incomplete.
func TestNumbersBelowZero(t *testing.T) {
	for _, nr := range []int{-1, -2, -1 << 31} {
		got := runWith(t, Options{Command: self(t, "call", strconv.Itoa(nr)), Denied: "on", Counts: true})
		if got.Complete != trace.CompleteTrue {
			t.Errorf("call %d: complete %s, %+v", nr, got.Complete, got.Losses)
		}
	}
}
