package policies

import (
	"fmt"

	"advisor/trace"
)

// counted is a fact that [trace.Counts] may count. Counts do not tell phases
// apart, nor anything else that several facts of one name differ in.
type counted interface {
	comparable
	fact() string
	running() bool // in the workload's own phase
}

func (k syscallKey) fact() string {
	name := k.Name
	if name == "" {
		name = trace.SyscallName(k.Arch, k.Nr)
	}
	return (&trace.Syscall{Arch: k.Arch, Nr: k.Nr, Name: name}).Fact()
}

func (k capabilityKey) fact() string { return (&trace.Capability{Name: k.Name}).Fact() }

func (k connectKey) fact() string {
	return (&trace.Connect{Protocol: k.Protocol, Remote: k.Remote, Port: k.Port}).Fact()
}

func (k acceptKey) fact() string {
	return (&trace.Accept{Protocol: k.Protocol, Port: k.Port, Remote: k.Remote}).Fact()
}

func (k syscallKey) running() bool    { return k.Phase == trace.PhaseRun }
func (k capabilityKey) running() bool { return k.Phase == trace.PhaseRun }
func (connectKey) running() bool      { return true }
func (acceptKey) running() bool       { return true }

// assign gives each count to one fact of its name: one of the workload's own
// phase if there is any, and of those the first that was seen. It notes in
// assigned which counts found their fact.
func assign[K counted](
	counts map[string]uint64, assigned map[string]bool, t tally[K],
) map[K]uint64 {
	if len(counts) == 0 {
		return nil
	}
	best := make(map[string]K)
	for key, seen := range t {
		name := key.fact()
		if counts[name] == 0 {
			continue
		}
		other, ok := best[name]
		if !ok || preferred(key, other, seen, t[other]) {
			best[name] = key
		}
	}
	of := make(map[K]uint64, len(best))
	for name, key := range best {
		assigned[name] = true
		of[key] = counts[name]
	}
	return of
}

func preferred[K counted](a, b K, seenA, seenB *Seen) bool {
	if a.running() != b.running() {
		return a.running()
	}
	if c := compareSightings(seenA.First, seenB.First); c != 0 {
		return c < 0
	}
	return fmt.Sprint(a) < fmt.Sprint(b)
}
