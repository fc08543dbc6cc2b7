package policies

import (
	"time"

	"advisor/trace"
)

// Observation is everything any number of traces say of one workload: sets,
// sorted, the same whatever order the traces came in.
type Observation struct {
	Workload Workload
	// Containers are the replicas, sorted. Their ids are unique among all
	// observations: where those of two nodes are the same, "@" and the node follow.
	Containers   []trace.Container
	Syscalls     []Syscall
	Capabilities []Capability
	Connects     []Connect
	Accepts      []Accept
	Listens      []Listen
	Denied       []Denied
	Execs        []Exec       `json:",omitempty"`
	Files        []File       `json:",omitempty"`
	Exits        []trace.Exit // of Containers, sorted by container
	Evidence     Evidence
	// FileEvidence is how much Execs and Files can be trusted. Evidence says
	// nothing of them where nobody asked for them.
	FileEvidence FileEvidence `json:",omitzero"`
}

// Evidence is how much an observation can be trusted.
type Evidence struct {
	Start    time.Time    `json:"start,omitzero"` // first header or sighting
	End      time.Time    `json:"end,omitzero"`
	LastNew  time.Time    `json:"lastNew,omitzero"` // when the last new fact was first seen
	Traces   int          `json:"traces"`
	Nodes    []string     `json:"nodes,omitempty"`
	Kernels  []string     `json:"kernels,omitempty"`
	Replicas int          `json:"replicas"` // distinct containers
	Restarts int          `json:"restarts"`
	Lost     uint64       `json:"lost"`
	Losses   []trace.Loss `json:"losses,omitempty"`
	Late     int          `json:"late,omitempty"` // containers that were there before recording
	// Incomplete and Sampled count containers that facts of were lost, or whose
	// call sites of capability checks are a sample.
	Incomplete int `json:"incomplete,omitempty"`
	Sampled    int `json:"sampled,omitempty"`
	// Complete is false where something was lost, else unknown where a trace
	// has no end or no container was seen from its start, else true.
	Complete trace.Complete `json:"complete"`
	// Off names the probes that were off in some trace, with the reason:
	// facts of that kind were not looked for.
	Off []string `json:"off,omitempty"`
	// Notes say what else a reader should know, sorted: a trace that was cut,
	// facts of a container that no trace describes.
	Notes []string `json:"notes,omitempty"`
}

// Seen is the evidence of one fact, folded over all its sightings.
type Seen struct {
	First trace.Sighting `json:"first"`           // the earliest
	Count uint64         `json:"count,omitempty"` // occurrences, where counted; else 0
	// Containers is in how many of the workload's containers it was seen.
	Containers int      `json:"containers"`
	Comms      []string `json:"comms,omitempty"` // distinct, sorted, at most 8
}

// Syscall is one system call of an observation.
type Syscall struct {
	Arch         string
	Nr           int
	Name         string
	Phase        trace.Phase
	Filtered     bool
	Args         [][]trace.Arg // distinct recorded argument sets, sorted; nil where not recorded
	ArgsOverflow bool
	Seen
}

// Capability is one kind of capability check of an observation; the fields
// before Seen are its key, as in [trace.Capability].
type Capability struct {
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
	Seen
}

// Connect is one peer the workload began traffic with.
type Connect struct {
	Protocol       string
	Remote         string
	Port           int
	Requested      string
	RequestedPort  int
	Translated     string
	TranslatedPort int
	Source         string
	Local          int
	Result         string
	Existing       bool
	Container      string // id of the container of the first sighting
	// Samples are single connections, the first of them the first sighting.
	Samples []Sample
	Seen
}

// Sample is one connection of a flow: the first that each recording saw of each
// container, at most 64 of them, the earliest. An address may be another's on
// another day, and the two ends of a connection share its ephemeral port, so it
// takes samples to say who was at the other end.
type Sample struct {
	Time      time.Time
	Container string // id
	Node      string // of the recording
	Address   string // the container's end
	Port      int    // the ephemeral port: the container's in a connect, the peer's in an accept
}

// Accept is one peer the workload answered.
type Accept struct {
	Protocol  string
	Address   string
	Port      int
	Remote    string
	PeerPort  int
	Existing  bool
	Container string
	Samples   []Sample // as in [Connect]
	Seen
}

// Listen is one socket the workload listened on.
type Listen struct {
	Protocol string
	Address  string
	Port     int
	Seen
}

// Denied is one call that a filter refused while recording.
type Denied struct {
	Arch    string
	Nr      int
	Syscall string
	Action  string
	Seen
}
