package monitor

import (
	"fmt"
	"time"

	"advisor/bpf"
	"advisor/trace"
)

// Values shared with bpf/state.h, and CAP_OPT_NOAUDIT (include/linux/security.h).
const (
	outcomeUnknown = 0x7fff
	optionsUnknown = 0xff
	optionNoAudit  = 2
)

// callsEndAfter is how long a capability check waits for the end of its call.
const callsEndAfter = 20 * time.Second

func (r *recording) readCaps(last bool) error {
	var key bpf.RecorderCapKey
	var val bpf.RecorderCapVal
	open := make(map[bpf.RecorderCapKey]bpf.RecorderCapVal)
	it := r.p.coll.Maps[bpf.RecorderMapCaps].Iterate()
	for it.Next(&key, &val) {
		f := r.facts.of(key.Id)
		if key.Outcome != outcomeUnknown {
			f.ended.add(r.facts.unended(key))
		}
		if f.caps.wait(idOf(r.facts.ids, key)) {
			open[key] = val
		}
	}
	var frames []uint64
	for _, val := range open {
		frames = append(frames, val.Frames[:]...)
	}
	r.sites.learn(frames)
	r.writeCaps(open, last)
	return wrap(it.Err(), "reading capability checks")
}

// writeCaps writes the checks that are ripe, those whose end is known before the
// others: an unknown outcome only stands where no other is known.
func (r *recording) writeCaps(open map[bpf.RecorderCapKey]bpf.RecorderCapVal, last bool) {
	for _, ended := range []bool{true, false} {
		for key, val := range open {
			if (key.Outcome != outcomeUnknown) != ended {
				continue
			}
			if ended || r.endless(key, last) {
				r.facts.of(key.Id).caps.done(idOf(r.facts.ids, key))
				r.capability(&key, &val)
			}
		}
	}
}

// unended is the id of a check without the end of its call.
func (f *facts) unended(key bpf.RecorderCapKey) factID {
	key.Outcome = outcomeUnknown
	return idOf(f.ids, key)
}

// endless tells whether a check whose call was not seen to end is to be written
// as that. One of which an end is known never is.
func (r *recording) endless(key bpf.RecorderCapKey, last bool) bool {
	f, id := r.facts.of(key.Id), idOf(r.facts.ids, key)
	if f.ended.has(r.facts.unended(key)) {
		f.caps.done(id)
		return false
	}
	return last || r.p.leave == nil || r.over(key.Id) || f.caps.waited(id) > callsEndAfter
}

func (r *recording) capability(key *bpf.RecorderCapKey, val *bpf.RecorderCapVal) {
	phase, _ := phaseOf(key.Class)
	site, advisory := r.sites.of(val.Frames[:])
	rec := &trace.Capability{
		Phase: phase, Name: capabilityName(key.Cap), Allowed: key.Refused == 0,
		Syscall: callName(key.Arch, key.Nr), Outcome: outcome(key.Outcome),
		UserNS: userns(key.Userns), Overridden: key.Overridden != 0, Site: site,
		Audit: r.audit(key.Options, advisory), Sampled: r.sampled(key),
		Sighting: r.sighting(&val.By),
	}
	r.fact(r.space(key.Id), checkKey(rec), rec)
}

// checkKey is what makes a check one fact.
func checkKey(rec *trace.Capability) trace.Capability {
	same := *rec
	same.Container, same.Sighting, same.Sampled = "", trace.Sighting{}, false
	return same
}

// capabilityName is the name, or the number of one that no table knows.
func capabilityName(nr int16) string {
	if name := trace.CapabilityName(int(nr)); name != "" {
		return name
	}
	return fmt.Sprint(nr)
}

// checkEnded stands for a check of which an outcome is known. Different stacks
// may lead to one call site, and only some calls be seen to end.
type checkEnded trace.Capability

// unendedTwin tells whether rec only says of a check that its call was not seen
// to end, and another record says how one did; it notes those that do.
func (c *subject) unendedTwin(rec trace.Record) bool {
	check, ok := rec.(*trace.Capability)
	if !ok {
		return false
	}
	same := checkEnded(*check)
	same.Container, same.Sighting, same.Sampled, same.Outcome = "", trace.Sighting{}, false, ""
	if check.Outcome == trace.OutcomeUnknown {
		return c.facts.has(anyID(c.ids, same))
	}
	c.facts.add(anyID(c.ids, same))
	return false
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
