// Package strace writes system calls of the flight recorder as strace(1) does,
// as far as their registers and the texts that were read tell: what other
// pointers lead to is not in a trace, and they stand as addresses.
package strace

import (
	"fmt"
	"strings"
	"time"

	"advisor/trace"
)

//go:generate go run ./internal/gen -o .

// column is where strace puts results.
const column = 39

// Line is one call as "strace -f -tt -T" has it, without the end of line:
// thread, time of day in UTC, call, result, seconds it took. A call that a
// filter refused says so at the end.
func Line(l *trace.Last) string {
	text := fmt.Sprintf("[pid %5d] %s %-*s = %s", l.TID, l.Time.UTC().Format("15:04:05.000000"), column, Call(l), Result(l))
	if l.Nanos > 0 && l.Denied == "" {
		text += fmt.Sprintf(" <%.6f>", time.Duration(l.Nanos).Seconds())
	}
	switch l.Denied {
	case trace.DeniedErrno:
		text += " [refused by a filter]"
	case trace.DeniedSignal:
		text += " [refused by a filter: SIGSYS]"
	}
	if l.Resumed {
		text += " [resumed]"
	}
	return text
}

// Call is the name and the arguments. A call that the package does not know has
// all six, in hexadecimal.
func Call(l *trace.Last) string {
	name := l.Syscall
	if name == "" {
		name = fmt.Sprintf("syscall_%#x", l.Nr)
	}
	p := printer{last: l, tables: tablesOf(l.Arch)}
	kinds, known := signature(l)
	if !known {
		kinds = strings.Repeat("x", len(l.Args))
	}
	return name + "(" + strings.Join(p.arguments(kinds), ", ") + ")"
}

// Result is what stands behind the equals sign.
func Result(l *trace.Last) string {
	if l.Result == nil {
		return "?"
	}
	n := *l.Result
	if n >= 0 || n < -4095 {
		return value(l, n)
	}
	if text, ok := restarts(n); ok {
		return "? " + text
	}
	text := messages()[int(-n)]
	if text == "" {
		text = fmt.Sprintf("Unknown error %d", -n)
	}
	return fmt.Sprintf("-1 %s (%s)", trace.ErrnoName(int(-n)), text)
}

// restarts are results inside the kernel: the call begins again, or ends with
// EINTR where a signal's handler ran.
func restarts(n int64) (string, bool) {
	switch -n {
	case 512:
		return "ERESTARTSYS (To be restarted if SA_RESTART is set)", true
	case 513:
		return "ERESTARTNOINTR (To be restarted)", true
	case 514:
		return "ERESTARTNOHAND (To be restarted if no handler)", true
	case 516:
		return "ERESTART_RESTARTBLOCK (Interrupted by signal)", true
	}
	return "", false
}

// value is a result that is no error.
func value(l *trace.Last, n int64) string {
	switch l.Syscall {
	case "mmap", "mmap2", "brk", "mremap", "shmat":
		return fmt.Sprintf("%#x", uint64(n))
	case "umask":
		return fmt.Sprintf("%#03o", n)
	case "fcntl", "fcntl64":
		return fcntl(l, n)
	}
	return fmt.Sprint(n)
}

// fcntl gives flags back for two of its commands.
func fcntl(l *trace.Last, n int64) string {
	if len(l.Args) < 2 || n == 0 {
		return fmt.Sprint(n)
	}
	p := printer{last: l, tables: tablesOf(l.Arch)}
	switch p.one("F_", l.Args[1]&0xffffffff) {
	case "F_GETFD":
		if n == 1 {
			return "0x1 (flags FD_CLOEXEC)"
		}
	case "F_GETFL":
		return fmt.Sprintf("%#x (flags %s)", n, p.open(uint64(n)))
	}
	return fmt.Sprint(n)
}
