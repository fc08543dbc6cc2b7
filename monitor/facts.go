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
	fresh   uint64
	caps    map[bpf.RecorderCapKey]*waiting
	nets    map[bpf.RecorderNetKey]*waiting
	calls   map[bpf.RecorderCallKey]struct{}
	args    map[bpf.RecorderArgKey]struct{}
	files   map[bpf.RecorderFileKey]struct{}
	named   []naming         // names that wait until it is known where they lead
	opened  uint64           // entries the map of files had when it was read
	settled map[any]struct{} // facts of which a better version is known
}

// waiting is an entry that was seen; written says that it is in the trace, or
// never will be.
type waiting struct {
	since   time.Time
	written bool
}

func newFacts() *facts {
	return &facts{
		caps:    make(map[bpf.RecorderCapKey]*waiting),
		nets:    make(map[bpf.RecorderNetKey]*waiting),
		calls:   make(map[bpf.RecorderCallKey]struct{}),
		args:    make(map[bpf.RecorderArgKey]struct{}),
		files:   make(map[bpf.RecorderFileKey]struct{}),
		settled: make(map[any]struct{}),
	}
}

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
	if len(f.named) > 0 {
		return true
	}
	for _, w := range f.caps {
		if !w.written {
			return true
		}
	}
	for _, w := range f.nets {
		if !w.written {
			return true
		}
	}
	return false
}

// readCalls takes the numbers that have no place in a slot, and what filters
// refused.
func (r *recording) readCalls() error {
	var key bpf.RecorderCallKey
	var by bpf.RecorderSighting
	it := r.p.coll.Maps[bpf.RecorderMapCalls].Iterate()
	for it.Next(&key, &by) {
		if _, known := r.facts.calls[key]; known {
			continue
		}
		r.facts.calls[key] = struct{}{}
		s, call := r.space(key.Id), callKey{key.Arch, key.Class, key.Nr}
		if key.Class == classDenied {
			r.denied(s, call, uint32(key.Code), &by)
			continue
		}
		r.fact(s, call, r.syscall(key.Arch, key.Class, key.Nr, r.sighting(&by)))
	}
	return wrap(it.Err(), "reading rare and refused system calls")
}

// ripe tells whether an entry is to be written now. One whose better version is
// there never is.
func (r *recording) ripe(w *waiting, key any, whole, last bool) bool {
	if whole {
		return true
	}
	if _, better := r.facts.settled[key]; better {
		w.written = true
		return false
	}
	return last || time.Since(w.since) > settleAfter
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
