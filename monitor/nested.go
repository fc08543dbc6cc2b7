package monitor

import (
	"advisor/bpf"
	"advisor/trace"
)

// isNested tells whether s was made by a program of the container it belongs to. To
// the kernel that program is a stranger there, as a runtime is in a container it
// sets up. What it does in s is the container's own work all the same: what a
// sandbox prepares for its child, or a runtime that runs inside.
func (r *recording) isNested(s *space) bool {
	outer := r.spaces[s.from]
	s.nested = s.nested || outer != nil && outer != s && outer.subject == s.subject
	return s.nested
}

// ofWorkload makes of what a runtime did what the workload did, and returns what
// makes it one fact then.
func ofWorkload(key any, rec trace.Record) any {
	const byWorkload = 2 // to the bit of a class that is the workload's, see bpf/state.h
	switch rec := rec.(type) {
	case *trace.Syscall:
		if rec.Phase != trace.PhaseStart {
			return key
		}
		rec.Phase = trace.PhaseRun
		switch k := key.(type) {
		case callKey:
			k.class <<= byWorkload
			return k
		case bpf.RecorderArgKey:
			k.Class <<= byWorkload
			return k
		}
	case *trace.Capability:
		rec.Phase = trace.PhaseRun
		return checkKey(rec)
	}
	return key
}
