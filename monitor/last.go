package monitor

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"

	"advisor/bpf"
	"advisor/trace"
)

// MaxLast is the most calls that Options.Last may ask for.
const MaxLast = 4096

// lastBudget is what all rings may take, in bytes. A container has two: one for
// the calls up to its first denied one, which nothing writes over, one for those
// after it.
const lastBudget = 32 << 20

// noRing marks a container whose calls are not wanted.
const noRing = ^uint64(0)

// Values shared with bpf/last.h.
const (
	lastCalled   = 0
	lastReturned = 1
	lastErrno    = 2
	lastSignal   = 3
	lastTorn     = 4

	lastResumed  = 1
	lastFirst    = 2
	lastSecond   = 4
	lastSocket   = 8
	lastHalfText = 72
)

// Rings is for how many containers at a time the last calls are kept.
func Rings(last int) int {
	size := 2 * last * int(unsafe.Sizeof(bpf.RecorderLast{}))
	return min(lastBudget/size, maxSlots-1)
}

// checkExtras refuses what cannot be had. A pinned recording has no probe on the
// way out of calls while nobody is there to attach and detach it, and without it
// there are neither results nor facts about files.
func checkExtras(o Options) error {
	if o.Last < 0 || o.Last > MaxLast {
		return fmt.Errorf("the last %d calls of a container cannot be kept: from 1 to %d can", o.Last, MaxLast)
	}
	if o.Pin != "" && exitsNeeded(o) {
		return errors.New("--files and --last end with the recorder: they do not go with --pin and --resume")
	}
	return nil
}

// watchLast has the probes keep the last n calls of each container.
func (p *probes) watchLast(n int, slots uint32) error {
	entries, rings := p.spec.Maps[bpf.RecorderMapLastEntries], p.spec.Maps[bpf.RecorderMapLastRings]
	if n == 0 {
		return nil
	}
	count := min(uint32(Rings(n)), slots)
	entries.MaxEntries = count * 2 * uint32(n)
	rings.MaxEntries = maxSlots
	p.spec.Maps[bpf.RecorderMapLastOpen].MaxEntries = stackEntries
	p.spec.Maps[bpf.RecorderMapLastFree].MaxEntries = count
	return errors.Join(
		wrap(p.spec.Variables[bpf.RecorderVarLastCalls].Set(byNumber(lastCalls())), "setting up the probes"),
		wrap(p.spec.Variables[bpf.RecorderVarLastWanted].Set(uint32(n)), "setting up the probes"))
}

// freeRings lists the rings that can be had.
func (s *state) freeRings(n int, slots uint32) error {
	if n == 0 {
		return nil
	}
	for i := range min(uint32(Rings(n)), slots) {
		if err := s.maps[bpf.RecorderMapLastFree].Put(nil, i); err != nil {
			return fmt.Errorf("listing rings of the flight recorder: %w", err)
		}
	}
	return nil
}

// flight is what was written of the ring of a space.
type flight struct {
	told    uint64              // calls before this one were written
	open    map[uint64]struct{} // of those, the ones that had not returned
	denied  bool                // the first denied call was seen
	dropped bool                // the ring was given back
}

// ring reads who has the ring of a slot.
func (r *recording) ring(s *space) (bpf.RecorderRing, bool) {
	var ring bpf.RecorderRing
	if r.o.Last == 0 || s.index == 0 || s.flight.dropped {
		return ring, false
	}
	err := r.p.coll.Maps[bpf.RecorderMapLastRings].Lookup(s.index, &ring)
	return ring, err == nil && ring.Id == s.id && ring.Index != noRing
}

// dump writes the last calls of a space that were not written yet.
func (r *recording) dump(s *space, why string) {
	ring, ok := r.ring(s)
	if !ok {
		return
	}
	n := uint64(r.o.Last)
	from := max(s.flight.told, ring.Head-min(ring.Head, n))
	if f := ring.Frozen; f > 0 && s.flight.told < f {
		r.writeCalls(s, &ring, max(s.flight.told, f-min(f, n)), f, why)
		from = max(f, from)
	}
	r.writeCalls(s, &ring, from, ring.Head, why)
	s.flight.told = ring.Head
}

// writeCalls writes the calls of places from up to before to, after those of
// earlier ones that have returned since they were written.
func (r *recording) writeCalls(s *space, ring *bpf.RecorderRing, from, to uint64, why string) {
	open := s.flight.open
	s.flight.open = make(map[uint64]struct{})
	var list []placedCall
	for _, place := range slices.Sorted(maps.Keys(open)) {
		if e, ok := r.entry(ring, place); ok {
			s.flight.note(place, &e)
			if e.State != lastCalled {
				list = append(list, placedCall{place, e})
			}
		}
	}
	for place := from; place < to; place++ {
		e, ok := r.entry(ring, place)
		if !ok {
			r.torn++
			continue
		}
		s.flight.note(place, &e)
		list = append(list, placedCall{place, e})
	}
	gone := overtaken(list)
	for i := range list {
		rec := r.last(&list[i].call, why)
		rec.Unseen = gone[list[i].place]
		r.fact(s, lastKey{s.id, list[i].place, list[i].call.State}, rec)
	}
}

type placedCall struct {
	place uint64
	call  bpf.RecorderLast
}

// note remembers a call that has not returned.
func (f *flight) note(place uint64, e *bpf.RecorderLast) {
	if e.State == lastCalled {
		f.open[place] = struct{}{}
	}
}

// overtaken are the places of calls without a result whose thread has made
// another since: a thread is in one call at a time.
func overtaken(list []placedCall) map[uint64]bool {
	later, gone := make(map[uint32]bool), make(map[uint64]bool)
	for _, c := range slices.Backward(list) {
		gone[c.place] = c.call.State == lastCalled && later[c.call.Tid]
		later[c.call.Tid] = true
	}
	return gone
}

// lastKey is what makes an entry of the ring one record.
type lastKey struct {
	id, place uint64
	state     uint8
}

// entry reads the call at a place, if it is there and whole. One that is being
// written is waited for a moment.
func (r *recording) entry(ring *bpf.RecorderRing, place uint64) (bpf.RecorderLast, bool) {
	n := uint64(r.o.Last)
	at := ring.Index*2*n + place%n
	if ring.Frozen > 0 && place >= ring.Frozen {
		at += n
	}
	for range 3 {
		var e, again bpf.RecorderLast
		m := r.p.coll.Maps[bpf.RecorderMapLastEntries]
		if m.Lookup(uint32(at), &e) == nil && e.Seq == place+1 &&
			m.Lookup(uint32(at), &again) == nil && again == e && e.State != lastTorn {
			return e, true
		}
		time.Sleep(100 * time.Microsecond)
	}
	return bpf.RecorderLast{}, false
}

// last is an entry as a record.
func (r *recording) last(e *bpf.RecorderLast, why string) *trace.Last {
	arch := archName(e.Arch)
	rec := &trace.Last{
		Arch: arch, Nr: int(e.Nr & math.MaxInt32), Syscall: trace.SyscallName(arch, int(e.Nr)),
		Args: append([]uint64(nil), e.Args[:]...), Texts: lastTexts(e),
		Time: r.clock.at(e.Time), PID: int(e.Pid), TID: int(e.Tid), Comm: leaf(text(e.Comm[:])),
		Resumed: e.Flags&lastResumed != 0, Why: why,
	}
	switch e.State {
	case lastReturned, lastErrno:
		result := resultOf(e)
		rec.Result = &result
		rec.Nanos = e.Ended - e.Time
	}
	switch e.State {
	case lastErrno:
		rec.Denied = trace.DeniedErrno
	case lastSignal:
		rec.Denied = trace.DeniedSignal
	}
	return rec
}

// resultOf is what a call returned, an errno if it is from -4095 to -1. A 32-bit
// call's address comes with the sign of its upper half.
func resultOf(e *bpf.RecorderLast) int64 {
	if e.Arch == archCompat && e.Result < -4095 {
		return int64(uint32(e.Result))
	}
	return e.Result
}

// firstDenied writes what led to the first call that a filter refused.
func (r *recording) firstDenied(s *space) {
	if r.o.Last > 0 && !s.flight.denied {
		s.flight.denied = true
		r.dump(s, trace.WhyDenied)
	}
}

// dumpAll writes the last calls of every container that is recorded.
func (r *recording) dumpAll() {
	for _, s := range r.spaces {
		if s.subject != nil && s.subject.wanted {
			r.dump(s, trace.WhySignal)
		}
	}
}

// tendRings gives back the rings of containers that are not wanted.
func (r *recording) tendRings() {
	if r.o.Last == 0 {
		return
	}
	for _, s := range r.spaces {
		if c := s.subject; c != nil && c.decided && !c.wanted && s.index != 0 && !s.flight.dropped {
			r.dropRing(s, bpf.RecorderRing{Id: s.id, Index: noRing})
		}
	}
}

// dropRing gives the ring of s back, emptied, and leaves something in its place.
func (r *recording) dropRing(s *space, leave bpf.RecorderRing) {
	ring, ok := r.ring(s)
	if !ok {
		return
	}
	s.flight.dropped = true
	maps := r.p.coll.Maps
	err := maps[bpf.RecorderMapLastRings].Put(s.index, leave)
	var empty bpf.RecorderLast
	for i := range 2 * uint64(r.o.Last) {
		err = errors.Join(err, maps[bpf.RecorderMapLastEntries].Update(uint32(ring.Index*2*uint64(r.o.Last)+i), empty, ebpf.UpdateAny))
	}
	if err = errors.Join(err, maps[bpf.RecorderMapLastFree].Put(nil, uint32(ring.Index))); err != nil {
		r.o.Log.Warn("giving back a ring of the flight recorder", "error", err)
	}
}
