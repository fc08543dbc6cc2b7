// Package risk says which system calls deserve a question when a workload
// makes them, why, and what the runtimes' default profile does with them.
//
// The default is Docker's, and containerd's is much like it: seccomp/default.json of
// github.com/moby/profiles at commit 190fa92. A default that depends on a
// capability is Conditional with that capability's name; runtimes that do not
// give it refuse the call. Calls that the tables of package trace know and the
// table here does not are ordinary, and allowed by default.
package risk

import (
	"slices"
	"strings"

	"advisor/trace"
)

// Class is why a call deserves a question.
type Class string

// The classes, worst first.
const (
	Host      Class = "acts on the host"
	Isolation Class = "changes isolation"
	Surface   Class = "kernel attack surface"
	Processes Class = "reaches other processes"
	Legacy    Class = "kept for old programs"
	Ordinary  Class = "ordinary"
)

// Classes are all classes, worst first.
func Classes() []Class {
	return []Class{Host, Isolation, Surface, Processes, Legacy, Ordinary}
}

// Reason is what the calls of a class have in common.
func (c Class) Reason() string {
	switch c {
	case Host:
		return "what it changes is the whole machine's, not the container's"
	case Isolation:
		return "makes, enters or rearranges what containers are made of"
	case Surface:
		return "large or young kernel code that attacks have gone through"
	case Processes:
		return "reads, changes or compares the state of other processes"
	case Legacy:
		return "nothing built today needs it"
	}
	return "files, memory, time, signals and sockets of its own"
}

// Default is what the default profile does with a call.
type Default string

// The defaults.
const (
	Allowed     Default = "allowed"
	Conditional Default = "conditional" // on a capability or the arguments
	Refused     Default = "refused"
	Unknown     Default = "unknown" // no table knows the call
)

// Call is what is to be said of one system call.
type Call struct {
	Class   Class
	Default Default
	// Capability is the one, without "CAP_", on which a Conditional default
	// depends; empty where that is the arguments.
	Capability string
	Reason     string // empty where the class says it all
}

// Of looks a call up by name, under any architecture.
func Of(name string) Call {
	for _, r := range table {
		if slices.Contains(strings.Fields(r.names), name) {
			return r.Call
		}
	}
	for _, arch := range trace.Archs() {
		if _, ok := trace.SyscallNumber(arch, name); ok {
			return Call{Class: Ordinary, Default: Allowed}
		}
	}
	return Call{Class: Surface, Default: Unknown, Reason: "no table here knows this call"}
}
