package trace

import (
	"errors"
	"fmt"
	"time"
)

// Last is one call of the flight recorder. A call that had not returned when
// it was written may stand there again with its result: it is the same where
// container, time and tid are.
type Last struct {
	Container string    `json:"container"`
	Arch      string    `json:"arch,omitempty"`
	Nr        int       `json:"nr"`
	Syscall   string    `json:"syscall,omitempty"`
	Args      []uint64  `json:"args,omitempty"`
	Texts     []Text    `json:"texts,omitempty"`  // what some of Args point to
	Result    *int64    `json:"result,omitempty"` // nil where the call had not returned
	Time      time.Time `json:"time,omitzero"`
	Nanos     uint64    `json:"nanos,omitempty"` // from the call to its result
	PID       int       `json:"pid,omitempty"`
	TID       int       `json:"tid,omitempty"`
	Comm      string    `json:"comm,omitempty"`
	// Denied says that a seccomp filter refused the call: it never ran, and
	// Result is the filter's. "errno", or "signal" where the filter sent
	// SIGSYS, which ends the process unless that catches it.
	Denied string `json:"denied,omitempty"`
	// Resumed says that the call was so long ago that it is known from its
	// return only: Time is when it returned.
	Resumed bool `json:"resumed,omitempty"`
	// Unseen says that the result is not known, though the thread went on.
	Unseen bool   `json:"unseen,omitempty"`
	Why    string `json:"why,omitempty"` // what had it written: end, denied, signal
}

// Text is the beginning of what an argument points to: a path, or a socket's
// address. Value is what strace writes: of a path what stands between the
// quotes, with octal escapes for what is no printable ASCII.
type Text struct {
	Index  int    `json:"index"` // of the argument, 0 to 5
	Value  string `json:"value"`
	Socket bool   `json:"socket,omitempty"` // an address
	Cut    bool   `json:"cut,omitempty"`    // there is more of it
}

// Values of [Last.Denied] and [Last.Why].
const (
	DeniedErrno  = "errno"
	DeniedSignal = "signal"
	WhyEnd       = "end"
	WhyDenied    = "denied"
	WhySignal    = "signal"
)

// Type implements [Record].
func (*Last) Type() string { return "last" }

func (l *Last) check() error {
	if len(l.Args) > 6 {
		return fmt.Errorf("args: %d of them, a call has six", len(l.Args))
	}
	seen := 0
	for _, text := range l.Texts {
		if text.Index < 0 || text.Index > 5 || seen&(1<<text.Index) != 0 {
			return fmt.Errorf("texts: index %d twice, or not 0 to 5", text.Index)
		}
		seen |= 1 << text.Index
	}
	return errors.Join(oneOf("denied", l.Denied, "", DeniedErrno, DeniedSignal),
		oneOf("why", l.Why, "", WhyEnd, WhyDenied, WhySignal))
}
