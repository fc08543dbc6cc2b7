package monitor

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"testing"
	"testing/iotest"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"advisor/bpf"
	"advisor/trace"
)

// TestIDs holds that what differs has another id, its type included: a check is
// kept beside the note that its call has ended, which is a copy of it.
func TestIDs(t *testing.T) {
	h := newHasher()
	check := trace.Capability{Name: "CHOWN", Syscall: "fchownat", Allowed: true}
	refused := check
	refused.Allowed = false
	keys := []any{
		check, checkEnded(check), refused, checkEnded(refused), countable("CHOWN"), "CHOWN",
		callKey{archNative, classRunOpen, 5}, callKey{archCompat, classRunOpen, 5},
		lastKey{1, 2, 3}, lastKey{2, 1, 3},
		trace.Connect{Remote: "a", Requested: "bc"}, trace.Connect{Remote: "ab", Requested: "c"},
	}
	for i, a := range keys {
		for j, b := range keys {
			if same := anyID(h, a) == anyID(h, b); same != (i == j) {
				t.Errorf("%#v and %#v: the same id is %t", a, b, same)
			}
		}
	}
	if anyID(h, check) == anyID(newHasher(), check) {
		t.Error("another recording gives the same ids")
	}
}

// lone is a recording without probes, for what needs none.
func lone(t *testing.T) *recording {
	t.Helper()
	out, err := create(Options{Output: filepath.Join(t.TempDir(), "trace.log")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := out.close(); err != nil {
			t.Error(err)
		}
	})
	out.w = trace.NewWriter(io.Discard)
	if err := out.write(&trace.Header{Schema: trace.Schema}); err != nil {
		t.Fatal(err)
	}
	return &recording{
		out: out, cmd: &command{}, facts: newFacts(),
		spaces: make(map[uint64]*space), subjects: make(map[string]*subject),
	}
}

// TestCompare holds when a call that no event told of is taken from the slot.
func TestCompare(t *testing.T) {
	const read, clone3 = 0, 435
	aside := uint32(asideCalls()[1])
	slot := new(bpf.RecorderSlot)
	slot.Seen[read] = classStartOpen | classRunOpen | classDenied
	slot.Seen[clone3] = classRunFiltered
	slot.Compat[7] = classRunOpen
	slot.Aside[1] = classRunOpen
	all := []callKey{
		{archNative, classStartOpen, read}, {archNative, classRunOpen, read},
		{archNative, classRunFiltered, clone3}, {archCompat, classRunOpen, 7},
		{archNative, classRunOpen, aside},
	}
	tests := []struct {
		name   string
		events []callKey // between two snapshots
		last   bool      // the second
		rounds int
		want   []callKey
	}{
		{name: "a call gets a snapshot for its event to come", rounds: 1},
		{name: "and no more", rounds: 2, want: all},
		{name: "none is taken twice", rounds: 4, want: all},
		{name: "at the end all are", rounds: 1, last: true, want: all},
		{name: "an event comes in time", rounds: 3, events: all[:4], want: all},
	}
	for _, tt := range tests {
		for _, adopted := range []bool{false, true} {
			r, s := lone(t), &space{id: 1, time: 1}
			if adopted {
				r.adopt(s, trace.Container{ID: "a"}, false)
			}
			for round := range tt.rounds {
				r.compare(s, slot, tt.last)
				for _, call := range tt.events {
					if round == 0 {
						r.fact(s, call, r.syscall(call.arch, call.class, call.nr, trace.Sighting{}))
					}
				}
			}
			if !adopted {
				r.adopt(s, trace.Container{ID: "a"}, false)
			}
			if diff := cmp.Diff(heldCalls(s), asRecords(r, tt.want)); diff != "" {
				t.Errorf("%s, adopted %t (-got +want):\n%s", tt.name, adopted, diff)
			}
		}
	}
}

func heldCalls(s *space) (list []trace.Record) { return append(list, s.subject.held...) }

func asRecords(r *recording, calls []callKey) (list []trace.Record) {
	for _, call := range calls {
		rec := r.syscall(call.arch, call.class, call.nr, trace.Sighting{})
		rec.Container = "a"
		list = append(list, rec)
	}
	return list
}

func TestForgetFacts(t *testing.T) {
	f := newFacts()
	key := bpf.RecorderNetKey{Id: 1, Rport: 80}
	for id := range uint64(3) {
		key.Id = id
		if !f.of(id).nets.wait(idOf(f.ids, key)) || !f.of(id).calls.add(factID{id}) {
			t.Errorf("namespace %d is known before it was seen", id)
		}
	}
	f.of(0).nets.done(idOf(f.ids, bpf.RecorderNetKey{Rport: 80}))
	f.forget(1)
	if !f.open() || f.of(0).nets.wait(idOf(f.ids, bpf.RecorderNetKey{Rport: 80})) || f.of(2).calls.add(factID{2}) {
		t.Error("facts of others are forgotten")
	}
	if !f.of(1).calls.add(factID{1}) {
		t.Error("facts are not forgotten")
	}
	f.forget(2)
	if f.open() {
		t.Error("what is forgotten still waits")
	}
}

func TestEachTask(t *testing.T) {
	var raw bytes.Buffer
	var want []uint32
	for n := range uint32(100) {
		if err := binary.Write(&raw, binary.NativeEndian, &bpf.RecorderTask{Tgid: n}); err != nil {
			t.Fatal(err)
		}
		want = append(want, n)
	}
	var got []uint32
	if err := eachTask(iotest.HalfReader(&raw), func(t *bpf.RecorderTask) { got = append(got, t.Tgid) }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	broken := errors.New("broken")
	if err := eachTask(iotest.ErrReader(broken), func(*bpf.RecorderTask) {}); !errors.Is(err, broken) {
		t.Errorf("an error of the kernel is %v", err)
	}
}

// TestContainerMemory bounds what the recorder keeps of a container: 120 calls, 20
// checks and 20 peers, all of them written. Not a byte of a fact has to stay.
func TestContainerMemory(t *testing.T) {
	const containers, limit = 500, 8 << 10
	r := lone(t)
	before := retained()
	for id := range uint64(containers) {
		populate(r, id+1)
	}
	if err := r.out.flush(); err != nil {
		t.Fatal(err)
	}
	if got, want := r.out.w.Records(), uint64(1+containers*161); got != want {
		t.Fatalf("%d records are written, want %d", got, want)
	}
	each := (retained() - before) / containers
	runtime.KeepAlive(r)
	t.Logf("%d bytes a container, %d of them its namespace and %d itself", each,
		unsafe.Sizeof(space{}), unsafe.Sizeof(subject{}))
	if each > limit {
		t.Errorf("a container takes %d bytes, more than %d", each, limit)
	}
}

// populate records a container whose runtime has named it.
func populate(r *recording, id uint64) {
	s := r.space(id)
	name := fmt.Sprintf("%064x", id)
	r.adopt(s, trace.Container{ID: name, Runtime: "docker", Name: name}, true)
	for nr := range uint32(120) {
		r.fact(s, callKey{archNative, classRunOpen, nr}, r.syscall(archNative, classRunOpen, nr, trace.Sighting{}))
	}
	f := r.facts.of(id)
	for n := range 20 {
		checked := bpf.RecorderCapKey{Id: id, Nr: int32(n), Outcome: outcomeUnknown}
		f.caps.wait(idOf(r.facts.ids, checked))
		f.caps.done(idOf(r.facts.ids, checked))
		check := trace.Capability{
			Phase: trace.PhaseRun, Name: "CHOWN", Syscall: callName(archNative, int32(n)),
			Outcome: trace.OutcomeOK, UserNS: trace.UserNSContainer, Audit: trace.AuditTrue,
		}
		r.fact(s, check, &check)
		peer := bpf.RecorderNetKey{Id: id, Rport: uint16(n)}
		f.nets.wait(idOf(r.facts.ids, peer))
		f.nets.done(idOf(r.facts.ids, peer))
		flow := &trace.Connect{Protocol: trace.TCP, Remote: "192.0.2.1", Port: n, Result: trace.ResultRefused}
		r.fact(s, flowKey(flow), flow)
	}
}

// retained is how many bytes of the heap are in use.
func retained() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
