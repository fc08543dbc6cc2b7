package monitor

import (
	"fmt"
	"net/netip"
	"time"

	"advisor/bpf"
)

// Values shared with bpf/state.h and bpf/net.h.
const (
	netConnect   = 1
	netConnected = 2
	netFailed    = 3
	netAccept    = 4
	netListen    = 5

	familyInet = 2
	protoTCP   = 6
	protoUDP   = 17
	protoSCTP  = 132
)

// settleAfter is how long a connection waits for its result.
const settleAfter = 5 * time.Second

// facts is what was read of the kernel's fact maps.
type facts struct {
	ids    hasher
	fresh  uint64
	in     map[uint64]*found // by namespace; 0 has those of none
	named  []naming          // names that wait until it is known where they lead
	opened uint64            // entries the map of files had when it was read
}

// found is what the maps had of one namespace.
type found struct {
	calls, args, files known
	caps, nets         entries
	ended              known // checks that are known to have ended, without how
	answered           known // peers of connections whose result is known
}

// entries are some of which each waits until it is done: in the trace, or never
// to be there.
type entries struct {
	over  known
	since map[factID]time.Time // when the others were first seen
}

// wait tells whether an entry still waits, from now on if it is new.
func (e *entries) wait(id factID) bool {
	if e.over.has(id) {
		return false
	}
	if _, known := e.since[id]; !known {
		if e.since == nil {
			e.since = make(map[factID]time.Time)
		}
		e.since[id] = time.Now()
	}
	return true
}

func (e *entries) waited(id factID) time.Duration { return time.Since(e.since[id]) }

// done ends the waiting.
func (e *entries) done(id factID) {
	e.over.add(id)
	if delete(e.since, id); len(e.since) == 0 {
		e.since = nil // a map keeps what it once needed
	}
}

// forget is for an entry that is not in the kernel's map any more.
func (e *entries) forget(id factID) {
	delete(e.over, id)
	delete(e.since, id)
}

func newFacts() *facts { return &facts{ids: newHasher(), in: make(map[uint64]*found)} }

// of is what the maps had of a namespace.
func (f *facts) of(id uint64) *found {
	if f.in[id] == nil {
		f.in[id] = new(found)
	}
	return f.in[id]
}

// forget drops what was read of a namespace that is gone.
func (f *facts) forget(id uint64) { delete(f.in, id) }

// readFacts writes down the entries of the fact maps that are new.
func (r *recording) readFacts(last bool) error {
	fresh := r.p.state.fresh()
	if fresh == r.facts.fresh && !last && !r.facts.open() {
		return nil
	}
	r.facts.fresh = fresh
	if err := r.readCalls(); err != nil {
		return err
	}
	if err := r.readArgs(); err != nil {
		return err
	}
	if err := r.readFiles(last); err != nil {
		return err
	}
	if err := r.readCaps(last); err != nil {
		return err
	}
	return r.readNets(last)
}

// open tells whether a fact waits for its other half.
func (f *facts) open() bool {
	for _, in := range f.in {
		if len(in.caps.since)+len(in.nets.since) > 0 {
			return true
		}
	}
	return len(f.named) > 0
}

// readCalls takes the numbers that have no place in a slot, and what filters
// refused.
func (r *recording) readCalls() error {
	var key bpf.RecorderCallKey
	var by bpf.RecorderSighting
	it := r.p.coll.Maps[bpf.RecorderMapCalls].Iterate()
	for it.Next(&key, &by) {
		// Below zero there is no call: the kernel says so to whoever asks, and no filter
		// can be given such a number.
		if int32(key.Nr) < 0 || !r.facts.of(key.Id).calls.add(idOf(r.facts.ids, key)) {
			continue
		}
		s, call := r.space(key.Id), callKey{key.Arch, key.Class, key.Nr}
		if key.Class == classDenied {
			r.denied(s, call, uint32(key.Code), &by)
			continue
		}
		r.fact(s, call, r.syscall(key.Arch, key.Class, key.Nr, r.sighting(&by)))
	}
	return wrap(it.Err(), "reading rare and refused system calls")
}

// address reads one as the kernel keeps it.
func address(family uint8, raw [16]uint8) string {
	if family == familyInet {
		return netip.AddrFrom4([4]byte(raw[:4])).String()
	}
	return netip.AddrFrom16(raw).String()
}

func wrap(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
