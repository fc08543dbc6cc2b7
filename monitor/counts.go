package monitor

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cilium/ebpf"

	"advisor/bpf"
	"advisor/trace"
)

// Occurrences are written when a container ends, when recording does, and now
// and then meanwhile: first after a minute, then after twice as long each time,
// so that a recording that stays on does not grow with what happens.
const (
	countsFirst   = time.Minute
	countsLongest = time.Hour
)

// counter is how often what the workload did has happened, by namespace.
type counter struct {
	every   time.Duration
	written time.Time
	in      map[uint64]*tally
	read    bool // since the last scan
}

// tally is how often, in one namespace. The kernel's numbers only grow: calls,
// rare, caps and nets are what they were when last read.
type tally struct {
	calls [calls]uint32
	rare  map[bpf.RecorderRareKey]uint64
	caps  map[bpf.RecorderCapKey]uint64
	nets  map[bpf.RecorderNetKey]uint64

	fresh  map[string]uint64 // by fact, not yet written
	closed bool              // the kernel's numbers are gone, or about to be
}

func newCounter() *counter {
	return &counter{every: countsFirst, written: time.Now(), in: make(map[uint64]*tally)}
}

// of is what was counted in a namespace.
func (c *counter) of(id uint64) *tally {
	if c.in[id] == nil {
		c.in[id] = &tally{
			rare: make(map[bpf.RecorderRareKey]uint64), caps: make(map[bpf.RecorderCapKey]uint64),
			nets: make(map[bpf.RecorderNetKey]uint64), fresh: make(map[string]uint64),
		}
	}
	return c.in[id]
}

// open is what was counted in a namespace whose numbers are still the kernel's, and
// has no numbers of another.
func (c *counter) open(id uint64) *tally {
	if t := c.of(id); !t.closed {
		return t
	}
	return new(tally)
}

// configureCounts makes the maps of occurrences as small as can be where nobody
// wants them.
func (p *probes) configureCounts(on bool) error {
	if !on {
		p.spec.Maps[bpf.RecorderMapCallCounts].MaxEntries = 1
		p.spec.Maps[bpf.RecorderMapRareCounts].MaxEntries = 1
		return nil
	}
	if err := p.spec.Variables[bpf.RecorderVarCounting].Set(uint8(1)); err != nil {
		return fmt.Errorf("setting up the probes: %w", err)
	}
	return nil
}

// counting tells whether occurrences are counted, which a recording that is
// taken up decided when it began.
func (p *probes) counting() bool { return p.coll.Maps[bpf.RecorderMapCallCounts].MaxEntries() > 1 }

func (c *counter) add(id uint64, fact string, n uint64) {
	if n > 0 {
		c.of(id).fresh[fact] += n
	}
}

// writeCounts reads and writes occurrences when they are due, or now.
func (r *recording) writeCounts(now bool) error {
	c := r.counts
	if c == nil || !now && time.Since(c.written) < c.every {
		return nil
	}
	c.written, c.every = time.Now(), min(2*c.every, countsLongest)
	if err := r.readCounts(); err != nil {
		return err
	}
	bySubject := make(map[*subject][]*space)
	for id := range c.in {
		if s := r.spaces[id]; s != nil && s.subject != nil {
			bySubject[s.subject] = append(bySubject[s.subject], s)
		}
	}
	for _, sub := range r.sorted() {
		r.emitCounts(sub, bySubject[sub])
	}
	return nil
}

// uncount leaves out what happened before this recorder took over: how much of it
// the one before has written is not known.
func (r *recording) uncount() error {
	if r.counts == nil {
		return nil
	}
	err := r.readCounts()
	for _, in := range r.counts.in {
		clear(in.fresh)
	}
	return err
}

// countSpace reads and writes the occurrences of a namespace that is about to be
// forgotten in the kernel. They are kept until it is known whose they are.
func (r *recording) countSpace(s *space) {
	if r.counts == nil {
		return
	}
	// Once for all that a scan finds: they have ended a while ago.
	if !r.counts.read {
		if err := r.readCounts(); err != nil {
			r.o.Log.Warn("occurrences are not counted", "error", err)
		}
		r.counts.read = true
	}
	r.counts.of(s.id).closed = true
	if s.subject != nil {
		r.emitCounts(s.subject, []*space{s})
	}
}

// endCounts writes what was counted in a namespace that is gone, and drops it.
func (r *recording) endCounts(s *space) {
	if r.counts != nil {
		r.emitCounts(s.subject, []*space{s})
		delete(r.counts.in, s.id)
	}
}

// reopen is for a namespace that somebody came back to: the kernel counts anew.
func (c *counter) reopen(id uint64) {
	if c == nil || c.in[id] == nil {
		return
	}
	fresh := c.in[id].fresh
	delete(c.in, id)
	c.of(id).fresh = fresh
}

// emitCounts writes what was counted in some namespaces of a container. A fact
// whose own record is still to come waits for it.
func (r *recording) emitCounts(sub *subject, spaces []*space) {
	sum := make(map[string]uint64)
	for _, s := range spaces {
		fresh := r.counts.of(s.id).fresh
		for fact, n := range fresh {
			if sub.facts.has(anyID(sub.ids, countable(fact))) {
				sum[fact] += n
				delete(fresh, fact)
			}
		}
	}
	if len(sum) == 0 {
		return
	}
	rec := &trace.Counts{Container: sub.rec.ID, Time: r.clock.now()}
	for _, fact := range slices.Sorted(maps.Keys(sum)) {
		rec.Counts = append(rec.Counts, trace.Count{Fact: fact, Count: sum[fact]})
	}
	r.emit(sub, rec)
}

// countable is the name of a fact that is in the trace.
type countable string

// countFact notes that a fact has a record, so that it can be counted.
func (r *recording) countFact(c *subject, rec trace.Record) {
	if r.counts == nil {
		return
	}
	if named, ok := rec.(interface{ Fact() string }); ok {
		c.facts.add(anyID(c.ids, countable(named.Fact())))
	}
}

// readCounts adds what happened since it was last called.
func (r *recording) readCounts() error {
	for _, s := range r.spaces {
		if s.index != 0 && s.retired == inUse {
			if err := r.countCalls(s); err != nil {
				return err
			}
		}
	}
	if err := r.countRare(); err != nil {
		return err
	}
	if err := r.countCaps(); err != nil {
		return err
	}
	return r.countNets()
}

func (r *recording) countCalls(s *space) error {
	var row bpf.RecorderCallCounts
	if err := r.p.coll.Maps[bpf.RecorderMapCallCounts].Lookup(s.index, &row); err != nil {
		return fmt.Errorf("reading occurrences: %w", err)
	}
	told := &r.counts.of(s.id).calls
	arch := archName(archNative)
	for nr, n := range row.Of {
		// They are 32 bits wide and may have begun again from zero.
		if more := n - told[nr]; more > 0 {
			call := trace.Syscall{Arch: arch, Nr: nr, Name: trace.SyscallName(arch, nr)}
			r.counts.add(s.id, call.Fact(), uint64(more))
		}
	}
	*told = row.Of
	return nil
}

func (r *recording) countRare() error {
	return grown(r.p.coll.Maps[bpf.RecorderMapRareCounts],
		func(k *bpf.RecorderRareKey) map[bpf.RecorderRareKey]uint64 { return r.counts.open(k.Id).rare },
		func(v *uint64) uint64 { return *v },
		func(k *bpf.RecorderRareKey, n uint64) {
			if int32(k.Nr) < 0 {
				return // no call, see readCalls
			}
			call := r.syscall(k.Arch, 0, k.Nr, trace.Sighting{})
			r.counts.add(k.Id, call.Fact(), n)
		})
}

// countCaps counts the checks by kind, which the walks of stacks leave out of
// the facts.
func (r *recording) countCaps() error {
	return grown(r.p.coll.Maps[bpf.RecorderMapCapKinds],
		func(k *bpf.RecorderCapKey) map[bpf.RecorderCapKey]uint64 { return r.counts.open(k.Id).caps },
		func(v *uint64) uint64 { return *v },
		func(k *bpf.RecorderCapKey, n uint64) {
			if phase, _ := phaseOf(k.Class); phase == trace.PhaseRun {
				check := trace.Capability{Name: capabilityName(k.Cap)}
				r.counts.add(k.Id, check.Fact(), n)
			}
		})
}

// countNets counts connections by their attempts, and datagrams.
func (r *recording) countNets() error {
	return grown(r.p.coll.Maps[bpf.RecorderMapNets],
		func(k *bpf.RecorderNetKey) map[bpf.RecorderNetKey]uint64 { return r.counts.open(k.Id).nets },
		func(v *bpf.RecorderNetVal) uint64 { return v.Count },
		func(k *bpf.RecorderNetKey, n uint64) {
			rec := r.flowRecord(k, &bpf.RecorderNetVal{})
			named, ok := rec.(interface{ Fact() string })
			again := k.Protocol == protoTCP && (k.Kind == netConnected || k.Kind == netFailed)
			if ok && !again && k.Id != 0 {
				r.counts.add(k.Id, named.Fact(), n)
			}
		})
}

// grown calls add with the entries of m whose number is more than was counted of
// them, and by how much, and keeps the numbers there. Those that counted has no
// numbers for are passed over.
func grown[K comparable, V any](m *ebpf.Map, counted func(*K) map[K]uint64, number func(*V) uint64,
	add func(*K, uint64)) error {
	var key K
	var val V
	it := m.Iterate()
	for it.Next(&key, &val) {
		n := number(&val)
		told := counted(&key)
		if told == nil {
			continue
		}
		if was := told[key]; n > was {
			add(&key, n-was)
			told[key] = n
		}
	}
	return wrap(it.Err(), "reading occurrences")
}
