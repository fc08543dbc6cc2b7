package monitor

import (
	"fmt"

	"advisor/trace"
)

// numberOf is the number of the call that a fact is about, 0 for other facts.
func numberOf(rec trace.Record) int {
	switch rec := rec.(type) {
	case *trace.Syscall:
		return rec.Nr
	case *trace.Denied:
		return rec.Nr
	}
	return 0
}

// noCall is what there is to say of a call whose number is negative to the kernel,
// as of a program that was built without knowing the one it wants. No kernel and
// no profile knows such a call, all answer that there is none, and it is no fact of
// the trace: nothing that a policy needs is lost with it.
func noCall(c *subject, nr int) *trace.Loss {
	return &trace.Loss{
		Probe: "syscalls", Stage: "number", Count: 1, Container: c.rec.ID, EvidenceOnly: true,
		Reason: fmt.Sprintf("a call of number %d, which is none on any kernel", int32(uint32(nr))),
	}
}
