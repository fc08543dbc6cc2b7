// Package trace is the vocabulary and the file: the record types of the
// advisor.trace/v1 format, its Reader and Writer, and the names of system
// calls and capabilities.
//
// A trace is NDJSON, UTF-8: one flat object a line, told apart by its "type".
// The first line is a [Header], the last an [End]. Times are RFC 3339 with
// nanoseconds, in UTC. A reader uses the fields it knows and counts the rest.
package trace

import "time"

// Schema is the value of [Header.Schema] that this package reads and writes.
const Schema = "advisor.trace/v1"

// Record is one line of a trace: a pointer to one of the record types of this
// package, and nothing else.
type Record interface {
	// Type is the value of the line's "type" field.
	Type() string
}

// Phase tells the runtime's own work from the workload's.
type Phase string

// The phases of a container. Seccomp needs the filtered part of PhaseStart;
// capabilities need PhaseRun only.
const (
	// PhaseStart is what the runtime does inside the container's namespaces
	// before the workload's execve, also when it sets up an exec or a probe.
	PhaseStart Phase = "start"
	// PhaseRun is the workload, from its first execve on.
	PhaseRun Phase = "run"
)

// Header is the first line.
type Header struct {
	Schema    string    `json:"schema"`
	Advisor   string    `json:"advisor,omitempty"` // version that recorded
	Node      string    `json:"node,omitempty"`    // host name
	Kernel    string    `json:"kernel,omitempty"`  // as in uname -r
	Arch      string    `json:"arch,omitempty"`    // audit architecture, x86_64 or aarch64
	Boot      string    `json:"boot,omitempty"`    // kernel's boot id
	Start     time.Time `json:"start,omitzero"`
	Probes    Probes    `json:"probes,omitzero"`
	Selection []string  `json:"selection,omitempty"` // the selection flags in force, empty for all containers
	// Segment counts the files of a recording that goes on in another when one is
	// full, from 1; 0 where it is in one. All segments say the same start. Each
	// begins with what is known of the containers that are there, so it reads
	// alone. Its losses are those since the start; its counts are its own.
	Segment int `json:"segment,omitempty"`
}

// Probes names the hook in use for each kind of fact, such as
// "raw_tp/sys_enter", or says why there is none, as "off: …".
type Probes struct {
	Syscalls     string `json:"syscalls,omitempty"`
	Capabilities string `json:"capabilities,omitempty"`
	Network      string `json:"network,omitempty"`
	Files        string `json:"files,omitempty"` // empty where nobody asked for them
}

// Container says whose facts follow. A later line for the same ID replaces an
// earlier one: identity is filled in as the runtime answers.
type Container struct {
	ID      string            `json:"id"`                // unique in the trace; the runtime's id where it has one
	Runtime string            `json:"runtime,omitempty"` // docker, containerd, cri-o, podman, runc, crun, nspawn, command, host
	Name    string            `json:"name,omitempty"`
	Image   string            `json:"image,omitempty"`
	Command string            `json:"command,omitempty"` // the executable of the first workload process
	Labels  map[string]string `json:"labels,omitempty"`
	PID     int               `json:"pid,omitempty"` // of the first process, in the host's pid namespace
	Started time.Time         `json:"started,omitzero"`
	Existed bool              `json:"existed,omitempty"` // was there before recording: its start is not in the trace
	Flags   []string          `json:"flags,omitempty"`   // FlagLate, FlagIncomplete
	IPs     []string          `json:"ips,omitempty"`
	Pod     *Pod              `json:"pod,omitempty"`
	Granted *Granted          `json:"granted,omitempty"`
	Resolv  *Resolv           `json:"resolv,omitempty"`
	// OCI is the low-level runtime and its version as "runc 1.1.5", where known.
	OCI string `json:"oci,omitempty"`
	// UnprivilegedPortStart is net.ipv4.ip_unprivileged_port_start in the
	// container's network namespace; nil where it is not known. Ports from it
	// on need no NET_BIND_SERVICE.
	UnprivilegedPortStart *int `json:"unprivilegedPortStart,omitempty"`
}

// Flags of a container whose facts are not all there.
const (
	FlagLate       = "late"       // recording began after the container
	FlagIncomplete = "incomplete" // facts of it were lost
	FlagSampled    = "sampled"    // call sites of capability checks were sampled
)

// Pod is the Kubernetes identity of a container.
type Pod struct {
	Namespace      string            `json:"namespace"`
	Name           string            `json:"name"`
	UID            string            `json:"uid,omitempty"`
	Container      string            `json:"container,omitempty"`
	Labels         map[string]string `json:"labels,omitempty"`
	ServiceAccount string            `json:"serviceAccount,omitempty"`
	HostNetwork    bool              `json:"hostNetwork,omitempty"`
	Owner          *Owner            `json:"owner,omitempty"`
}

// Owner is the controller of a pod, with ReplicaSets and Jobs of CronJobs
// already followed to the top where that is known.
type Owner struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// Granted is what the runtime gave the container.
type Granted struct {
	// Capabilities is the bounding set, without "CAP_"; empty with
	// CapabilitiesKnown means none.
	Capabilities      []string `json:"capabilities,omitempty"`
	CapabilitiesKnown bool     `json:"capabilitiesKnown,omitempty"`
	Seccomp           string   `json:"seccomp,omitempty"` // "unconfined", or "sha256:…" of the resolved profile's canonical JSON
	NoNewPrivileges   *bool    `json:"noNewPrivileges,omitempty"`
	User              string   `json:"user,omitempty"` // uid or uid:gid
	Privileged        bool     `json:"privileged,omitempty"`
}

// Resolv is the container's resolv.conf.
type Resolv struct {
	Nameservers []string `json:"nameservers,omitempty"`
	Search      []string `json:"search,omitempty"`
}

// Sighting is when and by whom a fact was first seen.
type Sighting struct {
	Time time.Time `json:"time,omitzero"`
	PID  int       `json:"pid,omitempty"` // thread group, in the host's pid namespace
	Comm string    `json:"comm,omitempty"`
	Exe  string    `json:"exe,omitempty"` // path of the executable as the container sees it, where known
}

// Syscall is a system call that a container made, once per
// (container, phase, filtered, arch, nr).
type Syscall struct {
	Container string `json:"container"`
	Phase     Phase  `json:"phase"`
	Filtered  bool   `json:"filtered,omitempty"` // a seccomp filter was in force
	Arch      string `json:"arch"`               // audit architecture: x86_64, i386, x32, aarch64, arm
	Nr        int    `json:"nr"`                 // as in the table of Arch; x32 without its bit 30
	Name      string `json:"name,omitempty"`     // empty where no table knows it
	Sighting
	// Args holds values of recorded arguments, one line per distinct set; nil
	// where arguments were not recorded.
	Args []Arg `json:"args,omitempty"`
	// ArgsOverflow says that more distinct values occurred than were kept.
	ArgsOverflow bool `json:"argsOverflow,omitempty"`
}

// Arg is the value of one argument, at the width the kernel uses it. With a
// Mask only the bits of Mask were recorded.
type Arg struct {
	Index int    `json:"index"` // 0 to 5
	Value uint64 `json:"value"`
	Mask  uint64 `json:"mask,omitempty"` // 0: the whole value
}

// UserNS relates the user namespace a capability was asked in to the
// container's own.
type UserNS string

// Relations of a capability check's target user namespace.
const (
	UserNSContainer UserNS = "container"
	UserNSHost      UserNS = "host"
	UserNSOther     UserNS = "other"
)

// Audit tells whether the kernel would have audited a capability check.
type Audit string

// Values of [Capability.Audit]. A check with AuditFalse only asks.
const (
	AuditTrue    Audit = "true"
	AuditFalse   Audit = "false"
	AuditUnknown Audit = "unknown"
)

// Outcomes of the system call a capability was checked in.
const (
	OutcomeOK      = "ok"
	OutcomeUnknown = "unknown" // the call's end was not seen
	// Any other outcome is the errno's name, such as "EPERM".
)

// Capability is a capability check made in a container, once per
// (container, phase, name, allowed, syscall, outcome, userns, overridden, site).
type Capability struct {
	Container  string `json:"container"`
	Phase      Phase  `json:"phase"`
	Name       string `json:"name"` // without "CAP_"; the number where no table knows it
	Allowed    bool   `json:"allowed"`
	Syscall    string `json:"syscall,omitempty"` // name of the running call, "arch/nr" where it has none
	Outcome    string `json:"outcome,omitempty"` // of that call
	UserNS     UserNS `json:"userns,omitempty"`
	Overridden bool   `json:"overridden,omitempty"` // the credentials were not the task's own
	Site       string `json:"site,omitempty"`       // the kernel function that asked
	Audit      Audit  `json:"audit,omitempty"`
	Sampled    bool   `json:"sampled,omitempty"`
	Sighting
}

// Denied is a call that a seccomp filter or LSM in force refused.
type Denied struct {
	Container string `json:"container"`
	Arch      string `json:"arch,omitempty"`
	Nr        int    `json:"nr"`
	Syscall   string `json:"syscall,omitempty"` // name, empty where no table knows it
	Action    string `json:"action,omitempty"`  // errno's name
	Sighting
}

// Count is the occurrences of one fact since the last [Counts] line.
type Count struct {
	Fact  string `json:"fact"` // what the record's Fact method says, such as "syscall/x86_64/openat"
	Count uint64 `json:"count"`
}

// Counts is written with monitor --counts.
type Counts struct {
	Container string    `json:"container"`
	Time      time.Time `json:"time,omitzero"`
	Counts    []Count   `json:"counts"`
}

// Exit is the end of a container.
type Exit struct {
	Container string    `json:"container"`
	Time      time.Time `json:"time,omitzero"`
	Code      *int      `json:"code,omitempty"` // of its first process, nil where not known
}

// Loss is something that happened and is not in the trace.
type Loss struct {
	Probe     string `json:"probe"` // syscalls, capabilities, network, exec, …
	Stage     string `json:"stage"` // map, ring, slot, name, write, recursion …
	Count     uint64 `json:"count"`
	Reason    string `json:"reason"`
	Container string `json:"container,omitempty"`
	// EvidenceOnly says that every fact is there, and only lacks when and by
	// whom it was seen, or the outcome.
	EvidenceOnly bool `json:"evidenceOnly,omitempty"`
}

// Complete says whether the whole trace, or a container's part, can be trusted
// to hold every fact.
type Complete string

// Values of [End.Complete]. A trace without an End is CompleteUnknown.
const (
	CompleteTrue    Complete = "true"
	CompleteFalse   Complete = "false"
	CompleteUnknown Complete = "unknown"
)

// End is the last line.
type End struct {
	Time     time.Time `json:"time,omitzero"`
	Records  uint64    `json:"records"` // lines before this one
	Lost     uint64    `json:"lost"`    // sum of the Loss lines' counts, without those of evidence only
	Complete Complete  `json:"complete"`
	Reason   string    `json:"reason,omitempty"` // why recording ended: interrupt, duration, exit, …
}

// ReasonSegment is the [End.Reason] of a segment that another follows.
const ReasonSegment = "segment"

// Type implements [Record].
func (*Header) Type() string     { return "header" }
func (*Container) Type() string  { return "container" }
func (*Syscall) Type() string    { return "syscall" }
func (*Capability) Type() string { return "capability" }
func (*Connect) Type() string    { return "connect" }
func (*Accept) Type() string     { return "accept" }
func (*Listen) Type() string     { return "listen" }
func (*Denied) Type() string     { return "denied" }
func (*Counts) Type() string     { return "counts" }
func (*Exit) Type() string       { return "exit" }
func (*Loss) Type() string       { return "loss" }
func (*End) Type() string        { return "end" }
