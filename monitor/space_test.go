package monitor

import (
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"advisor/bpf"
	"advisor/monitor/container"
	"advisor/trace"
)

// TestEndWithoutEvent has a slot say when and how its first process ended.
func TestEndWithoutEvent(t *testing.T) {
	slot := bpf.RecorderSlot{Id: 1, Flags: slotEnded, Ended: 42, Code: 7 << 8}
	s := &space{id: 1}
	s.learn(&slot)
	if s.endedAt != 42 || s.code == nil || exitCode(*s.code) != 7 {
		t.Errorf("ended at %d with %v", s.endedAt, s.code)
	}
}

// TestFirstProcess: who leads to the name of a container is its first process. Where
// it was there before recording, a slot knows of others only.
func TestFirstProcess(t *testing.T) {
	slot := bpf.RecorderSlot{Id: 1, Pid: 20, Init: 30}
	whole := &space{id: 1}
	whole.learn(&slot)
	slot.Flags = slotLate
	late := &space{id: 1, late: true, sight: container.Sight{PID: 10}}
	late.learn(&slot)
	unlisted := &space{id: 1}
	unlisted.learn(&slot)
	if whole.sight.PID != 30 || late.sight.PID != 10 || unlisted.sight.PID != 30 {
		t.Errorf("asked about are %d, %d and %d", whole.sight.PID, late.sight.PID, unlisted.sight.PID)
	}
}

// TestEveryLossIsTold: each number that the kernel counts, of all and of one
// container, comes out as a loss of a kind of its own.
func TestEveryLossIsTold(t *testing.T) {
	var all bpf.RecorderLosses
	numbered(&all)
	if got, want := sorted(allLost(all, 15)), 15; len(got) != want || got[0] != 1 || got[want-1] != uint64(want) {
		t.Errorf("of the losses 1 to %d come out %v", want, got)
	}
	var slot bpf.RecorderSlot
	numbered(&slot.Lost)
	var s spaceLosses
	s.learn(&slot)
	byKind := lossCounts{lostCalls: 1, lostArgs: 2, lostCaps: 3, lostNets: 4, lostSockets: 5, lostFiles: 6, lostSCTP: 7, lostRefusals: 8}
	if diff := cmp.Diff(byKind, s.now); diff != "" {
		t.Errorf("of one container (-want +got)\n%s", diff)
	}
	r := &recording{}
	said := make(map[trace.Loss]bool)
	for kind := range lossKinds {
		loss := r.lossOf(kind)
		if loss.Probe == "" || loss.Stage == "" || loss.Reason == "" || said[loss] {
			t.Errorf("kind %d is told as %+v", kind, loss)
		}
		said[loss] = true
	}
}

// numbered sets the fields of a structure of the kernel's to 1, 2, 3 and so on.
func numbered(structure any) {
	n := uint64(0)
	fields := reflect.ValueOf(structure).Elem()
	for i := range fields.NumField() {
		name := fields.Type().Field(i).Name
		if field := fields.Field(i); field.CanSet() && name != "_" && name != "Pad" {
			n++
			field.SetUint(n)
		}
	}
}

func sorted(counts lossCounts) []uint64 { return slices.Sorted(slices.Values(counts[:])) }

// TestLossesOfOne: what is known to be one container's is said of it, and the
// rest of nobody in particular, each once, whichever is known first. Those of
// containers that are not selected are nobody's business.
func TestLossesOfOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace.log")
	out, err := create(Options{Output: path})
	if err != nil {
		t.Fatal(err)
	}
	r := &recording{
		out: out, spaces: make(map[uint64]*space),
		lossesSaid: make(map[trace.Loss]uint64), losers: make(map[string]string),
	}
	r.write(&trace.Header{Schema: trace.Schema})
	lose := func(id uint64, c *subject, calls uint32) *space {
		slot := bpf.RecorderSlot{Id: id, Flags: slotFactsLost}
		slot.Lost.Calls = calls
		s := &space{id: id, subject: c}
		s.learn(&slot)
		r.spaces[id] = s
		r.counted[lostCalls] += uint64(calls)
		return s
	}
	main := new(space)
	lose(1, &subject{main: main, rec: trace.Container{ID: "w", Name: "web"}, decided: true, wanted: true}, 2)
	lose(2, &subject{main: main, rec: trace.Container{ID: "o"}, decided: true}, 4)
	late := lose(3, nil, 8)
	r.counted[lostCalls] += 16 // of nobody that is known
	r.losses()
	r.losses()
	late.subject = &subject{main: main, rec: trace.Container{ID: "l"}, decided: true, wanted: true}
	r.losses()
	r.write(&trace.End{Lost: r.lost, Complete: r.complete()})
	if err := errors.Join(out.flush(), out.close()); err != nil {
		t.Fatal(err)
	}
	said := make(map[string]uint64)
	var lost uint64
	for _, rec := range read(t, path) {
		switch rec := rec.(type) {
		case *trace.Loss:
			said[rec.Container] += rec.Count
		case *trace.End:
			lost = rec.Lost
		}
	}
	want := map[string]uint64{"w": 2, "l": 8, "": 16}
	if diff := cmp.Diff(want, said); diff != "" || lost != 26 {
		t.Errorf("%d lost (-want +got)\n%s", lost, diff)
	}
	if diff := cmp.Diff(map[string]string{"w": "web", "l": "l"}, r.losers); diff != "" {
		t.Errorf("names (-want +got)\n%s", diff)
	}
}
