package policies

import (
	"advisor/trace"
)

// facts is what was seen in one container, or in all of a workload.
type facts struct {
	syscalls     tally[syscallKey]
	args         map[syscallKey]*arguments
	capabilities tally[capabilityKey]
	connects     flows[connectKey]
	accepts      flows[acceptKey]
	listens      tally[listenKey]
	denied       tally[deniedKey]
	execs        tally[execKey]
	files        tally[fileKey]
}

type syscallKey struct {
	Arch     string
	Nr       int
	Name     string // where no table knows it
	Phase    trace.Phase
	Filtered bool
}

type capabilityKey struct {
	Phase      trace.Phase
	Name       string
	Allowed    bool
	Syscall    string
	Outcome    string
	UserNS     trace.UserNS
	Overridden bool
	Site       string
	Audit      trace.Audit
	Sampled    bool
}

type connectKey struct {
	Protocol       string
	Remote         string
	Port           int
	Requested      string
	RequestedPort  int
	Translated     string
	TranslatedPort int
	Result         string
}

type acceptKey struct {
	Protocol string
	Port     int
	Remote   string
}

type listenKey struct {
	Protocol string
	Address  string
	Port     int
}

type deniedKey struct {
	Arch    string
	Nr      int
	Syscall string
	Action  string
}

func newFacts() facts {
	return facts{
		syscalls:     make(tally[syscallKey]),
		args:         make(map[syscallKey]*arguments),
		capabilities: make(tally[capabilityKey]),
		connects:     make(flows[connectKey]),
		accepts:      make(flows[acceptKey]),
		listens:      make(tally[listenKey]),
		denied:       make(tally[deniedKey]),
		execs:        make(tally[execKey]),
		files:        make(tally[fileKey]),
	}
}

func (f *facts) addSyscall(r *trace.Syscall) {
	key := syscallKey{Arch: r.Arch, Nr: r.Nr, Name: unlisted(r.Arch, r.Nr, r.Name),
		Phase: r.Phase, Filtered: r.Filtered}
	f.syscalls.note(key, r.Sighting)
	if len(r.Args) == 0 && !r.ArgsOverflow {
		return
	}
	if f.args[key] == nil {
		f.args[key] = new(arguments)
	}
	f.args[key].add(r.Args, r.ArgsOverflow)
}

// unlisted is the name that a trace gives a call which our own table does not
// know. A known call has one name, whatever the recorder called it.
func unlisted(arch string, nr int, name string) string {
	if trace.SyscallName(arch, nr) != "" {
		return ""
	}
	return name
}

func (f *facts) addCapability(r *trace.Capability) {
	f.capabilities.note(capabilityKey{
		Phase: r.Phase, Name: r.Name, Allowed: r.Allowed, Syscall: r.Syscall, Outcome: r.Outcome,
		UserNS: r.UserNS, Overridden: r.Overridden, Site: r.Site, Audit: r.Audit, Sampled: r.Sampled,
	}, r.Sighting)
}

func (f *facts) addConnect(seg *segment, r *trace.Connect) {
	key := connectKey{
		Protocol: r.Protocol, Remote: r.Remote, Port: r.Port, Result: r.Result,
		Requested: r.Requested, RequestedPort: r.RequestedPort,
		Translated: r.Translated, TranslatedPort: r.TranslatedPort,
	}
	at := Sample{r.Time, r.Container, seg.header.Node, r.Source, r.Local}
	f.connects.note(key, sample{at, r.Sighting, seg}, r.Existing)
}

func (f *facts) addAccept(seg *segment, r *trace.Accept) {
	key := acceptKey{Protocol: r.Protocol, Port: r.Port, Remote: r.Remote}
	at := Sample{r.Time, r.Container, seg.header.Node, r.Address, r.PeerPort}
	f.accepts.note(key, sample{at, r.Sighting, seg}, r.Existing)
}

func (f *facts) addListen(r *trace.Listen) {
	f.listens.note(listenKey{r.Protocol, r.Address, r.Port}, r.Sighting)
}

func (f *facts) addDenied(r *trace.Denied) {
	name := unlisted(r.Arch, r.Nr, r.Syscall)
	f.denied.note(deniedKey{r.Arch, r.Nr, name, r.Action}, r.Sighting)
}
