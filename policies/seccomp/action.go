package seccomp

import (
	"fmt"
	"slices"

	"advisor/trace"
)

// Action is what happens to a call, as the formats spell it.
type Action string

// The actions, most restrictive first, in the kernel's order of precedence
// (seccomp(2), "Filters").
const (
	KillProcess Action = "SCMP_ACT_KILL_PROCESS"
	KillThread  Action = "SCMP_ACT_KILL_THREAD"
	Trap        Action = "SCMP_ACT_TRAP"
	Errno       Action = "SCMP_ACT_ERRNO"
	Notify      Action = "SCMP_ACT_NOTIFY"
	Trace       Action = "SCMP_ACT_TRACE"
	Log         Action = "SCMP_ACT_LOG"
	Allow       Action = "SCMP_ACT_ALLOW"

	// Kill is the runtime specification's older word for KillThread.
	Kill Action = "SCMP_ACT_KILL"
)

var actions = [...]Action{KillProcess, KillThread, Trap, Errno, Notify, Trace, Log, Allow}

// Flags of a filter.
const (
	FlagLog       = "SECCOMP_FILTER_FLAG_LOG"
	FlagTsync     = "SECCOMP_FILTER_FLAG_TSYNC"
	FlagSpecAllow = "SECCOMP_FILTER_FLAG_SPEC_ALLOW"
	FlagWaitKill  = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"
)

var flags = [...]string{FlagTsync, FlagLog, FlagSpecAllow, FlagWaitKill}

// Errno values of the policy, the same on every architecture that is known here.
const (
	ePERM  = 1
	eNOSYS = 38
	// maxErrno is the greatest errno that the kernel returns from a filter;
	// it cuts greater ones (kernel/seccomp.c, MAX_ERRNO).
	maxErrno = 4095
	// maxTaken is the greatest that libseccomp takes for a filter (db.c and
	// system.c of 2.5, MAX_ERRNO).
	maxTaken = 4094
)

// normal is the action under one name.
func (a Action) normal() Action {
	if a == Kill {
		return KillThread
	}
	return a
}

func (a Action) known() bool { return slices.Contains(actions[:], a.normal()) }

// Admits says that the call is made: ALLOW and LOG.
func (a Action) Admits() bool { return a == Allow || a == Log }

// takesErrno says that "errnoRet" has a meaning with the action.
func (a Action) takesErrno() bool { return a == Errno || a == Trace }

// Outcome is what a filter does with a call. Errno is the value returned with
// the Errno action and the message with Trace; else 0.
type Outcome struct {
	Action Action `json:"action"`
	Errno  uint   `json:"errno,omitempty"`
}

// outcome packs an action and its errno as the runtimes do: EPERM where none is
// given, the lower 16 bits of what is, and no more than the kernel returns.
func outcome(a Action, errno *uint) Outcome {
	o := Outcome{Action: a.normal()}
	if !o.Action.takesErrno() {
		return o
	}
	o.Errno = ePERM
	if errno != nil {
		o.Errno = *errno & 0xffff
	}
	if o.Action == Errno {
		o.Errno = min(o.Errno, maxErrno)
	}
	return o
}

// String is the outcome in words: "ALLOW", "ERRNO ENOSYS".
func (o Outcome) String() string {
	word := string(o.Action)
	if len(word) > len("SCMP_ACT_") {
		word = word[len("SCMP_ACT_"):]
	}
	switch o.Action {
	case Errno:
		return word + " " + trace.ErrnoName(int(o.Errno))
	case Trace:
		return fmt.Sprintf("%s %d", word, o.Errno)
	}
	return word
}
