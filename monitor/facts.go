package monitor

import (
	"fmt"
	"net/netip"
	"time"

	"advisor/bpf"
	"advisor/trace"
)

// Values shared with bpf/state.h and bpf/net.h.
const (
	outcomeUnknown = 0x7fff
	optionsUnknown = 0xff
	optionNoAudit  = 2

	netConnect   = 1
	netConnected = 2
	netFailed    = 3
	netAccept    = 4
	netListen    = 5

	familyInet = 2
	protoTCP   = 6
	protoUDP   = 17
)

// How long a fact waits for its other half: a connection for its result, a
// capability check for the end of its call.
const settleAfter = 5 * time.Second

// facts is what was read of the kernel's fact maps.
type facts struct {
	fresh   uint64
	caps    map[bpf.RecorderCapKey]*waiting
	nets    map[bpf.RecorderNetKey]*waiting
	calls   map[bpf.RecorderCallKey]struct{}
	args    map[bpf.RecorderArgKey]struct{}
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
	if err := r.readCaps(last); err != nil {
		return err
	}
	return r.readNets(last)
}

// open tells whether a fact waits for its other half.
func (f *facts) open() bool {
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

// readCalls takes the numbers that have no place in a slot.
func (r *recording) readCalls() error {
	var key bpf.RecorderCallKey
	var by bpf.RecorderSighting
	it := r.p.coll.Maps[bpf.RecorderMapCalls].Iterate()
	for it.Next(&key, &by) {
		if _, known := r.facts.calls[key]; known {
			continue
		}
		r.facts.calls[key] = struct{}{}
		r.fact(r.space(key.Id), callKey{key.Arch, key.Class, key.Nr},
			r.syscall(key.Arch, key.Class, key.Nr, r.sighting(&by)))
	}
	return wrap(it.Err(), "reading rare system calls")
}

func (r *recording) readCaps(last bool) error {
	var key bpf.RecorderCapKey
	var val bpf.RecorderCapVal
	open := make(map[bpf.RecorderCapKey]bpf.RecorderCapVal)
	it := r.p.coll.Maps[bpf.RecorderMapCaps].Iterate()
	for it.Next(&key, &val) {
		if r.facts.caps[key] == nil {
			r.facts.caps[key] = &waiting{since: time.Now()}
		}
		if key.Outcome != outcomeUnknown {
			unknown := key
			unknown.Outcome = outcomeUnknown
			r.facts.settled[unknown] = struct{}{}
		}
		if !r.facts.caps[key].written {
			open[key] = val
		}
	}
	var frames []uint64
	for _, val := range open {
		frames = append(frames, val.Frames[:]...)
	}
	r.sites.learn(frames)
	for key, val := range open {
		w := r.facts.caps[key]
		if r.ripe(w, key, key.Outcome != outcomeUnknown || r.p.leave == nil, last) {
			w.written = true
			r.capability(&key, &val)
		}
	}
	return wrap(it.Err(), "reading capability checks")
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

func (r *recording) capability(key *bpf.RecorderCapKey, val *bpf.RecorderCapVal) {
	phase, _ := phaseOf(key.Class)
	site, advisory := r.sites.of(val.Frames[:])
	rec := &trace.Capability{
		Phase: phase, Name: trace.CapabilityName(int(key.Cap)), Allowed: key.Refused == 0,
		Syscall: callName(key.Arch, key.Nr), Outcome: outcome(key.Outcome),
		UserNS: userns(key.Userns), Overridden: key.Overridden != 0, Site: site,
		Audit: r.audit(key.Options, advisory), Sampled: r.sampled(key),
		Sighting: r.sighting(&val.By),
	}
	if rec.Name == "" {
		rec.Name = fmt.Sprint(key.Cap)
	}
	same := *rec
	same.Sighting, same.Sampled = trace.Sighting{}, false
	r.fact(r.space(key.Id), same, rec)
}

// audit tells whether the kernel would have audited the check: by the option
// where the hook has it, else by the functions on the stack.
func (r *recording) audit(options uint8, advisory bool) trace.Audit {
	switch {
	case options != optionsUnknown && options&optionNoAudit != 0,
		options == optionsUnknown && advisory:
		return trace.AuditFalse
	case options != optionsUnknown, r.sites.readable():
		return trace.AuditTrue
	}
	return trace.AuditUnknown
}

// sampled tells whether stacks of this kind of check were left out.
func (r *recording) sampled(key *bpf.RecorderCapKey) bool {
	const always = 16 // as in bpf/caps.h
	kind := *key
	kind.Stack, kind.Outcome = 0, outcomeUnknown
	var n uint64
	err := r.p.coll.Maps[bpf.RecorderMapCapKinds].Lookup(kind, &n)
	return err == nil && n > always
}

// callName is the name of the call a check was made in.
func callName(arch uint8, nr int32) string {
	if nr < 0 {
		return ""
	}
	if name := trace.SyscallName(archName(arch), int(nr)); name != "" {
		return name
	}
	return fmt.Sprintf("%s/%d", archName(arch), nr)
}

func outcome(errno int16) string {
	switch errno {
	case 0:
		return trace.OutcomeOK
	case outcomeUnknown:
		return trace.OutcomeUnknown
	}
	if name := trace.ErrnoName(int(errno)); name != "" {
		return name
	}
	return fmt.Sprint(errno)
}

func userns(relation uint8) trace.UserNS {
	switch relation {
	case 0:
		return trace.UserNSContainer
	case 1:
		return trace.UserNSHost
	}
	return trace.UserNSOther
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
