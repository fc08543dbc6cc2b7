package monitor

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"advisor/trace"
)

// TestLastCalls has a filter refuse a call in each of its ways. The call is
// among the last with its arguments, the path it had and what came of it, once,
// behind the calls before it.
func TestLastCalls(t *testing.T) {
	const errno = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOTNAM)
	tests := []struct {
		name    string
		action  uint32
		threads bool
		code    int
		denied  string
		fact    string
	}{
		{"errno", errno, false, 0, trace.DeniedErrno, "ENOTNAM"},
		{"kill", unix.SECCOMP_RET_KILL_PROCESS, false, 128 + 31, trace.DeniedSignal, "SIGSYS"},
		{"kill among threads", unix.SECCOMP_RET_KILL_PROCESS, true, 128 + 31, trace.DeniedSignal, "SIGSYS"},
		{"trap", unix.SECCOMP_RET_TRAP, false, 2, trace.DeniedSignal, "SIGSYS"}, // the runtime of Go says so
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := []string{"refused", fmt.Sprint(tt.action)}
			if tt.threads {
				args = append(args, "threads")
			}
			got := run(t, t.Context(), Options{Last: 64, Denied: "off", Command: self(t, args...)})
			if got.ExitCode != tt.code {
				t.Errorf("exit code %d, want %d", got.ExitCode, tt.code)
			}
			name := baseName(self(t)[0])
			list := of[*trace.Last](got, name)
			at := slices.IndexFunc(list, func(l *trace.Last) bool { return l.Denied != "" })
			if at < 1 {
				t.Fatalf("no refused call behind another among %d", len(list))
			}
			checkRefused(t, list[at], tt.denied)
			if before := previous(list[:at], list[at].TID); before.Syscall != "faccessat" || before.Result == nil || *before.Result != -2 {
				t.Errorf("before it is %+v, want a faccessat that failed", before)
			}
			for _, l := range list[at+1:] {
				if l.Denied != "" {
					t.Errorf("refused once more: %+v", *l)
				}
			}
			facts := of[*trace.Denied](got, name)
			if len(facts) != 1 || facts[0].Syscall != "mknodat" || facts[0].Action != tt.fact {
				t.Errorf("denied: %+v, want mknodat with %s", facts, tt.fact)
			}
		})
	}
}

// previous is the last call of a thread.
func previous(list []*trace.Last, tid int) *trace.Last {
	for _, l := range slices.Backward(list) {
		if l.TID == tid {
			return l
		}
	}
	return new(trace.Last)
}

func checkRefused(t *testing.T, l *trace.Last, denied string) {
	t.Helper()
	if l.Syscall != "mknodat" || l.Denied != denied || len(l.Texts) != 1 ||
		l.Texts[0] != (trace.Text{Index: 1, Value: "/tmp/advisor-refused"}) || l.Why != trace.WhyDenied {
		t.Errorf("got %+v, want mknodat of the path, refused by %s", *l, denied)
	}
	if int32(l.Args[0]) != -100 || l.Args[2] != unix.S_IFREG|0o600 || l.Args[3] != 7 {
		t.Errorf("arguments %v", l.Args)
	}
	if denied == trace.DeniedErrno && (l.Result == nil || *l.Result != -int64(unix.ENOTNAM)) {
		t.Errorf("result %v, want what the filter gave", l.Result)
	}
	if denied == trace.DeniedSignal && l.Result != nil {
		t.Errorf("result %d of a call that never returned", *l.Result)
	}
}

// TestLastBound keeps the last calls and no more, and none of those before.
func TestLastBound(t *testing.T) {
	got := runWith(t, Options{Last: 10, Command: self(t, "ioctls")})
	list := of[*trace.Last](got, baseName(self(t)[0]))
	if len(list) != 10 {
		t.Errorf("%d calls, want 10", len(list))
	}
	if i := slices.IndexFunc(list, func(l *trace.Last) bool { return l.Syscall == "exit_group" }); i < 0 || list[i].Result != nil {
		t.Error("no exit_group that never returned")
	}
}

// TestLastOnSignal asks for the last calls of a container that goes on.
func TestLastOnSignal(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	dump := make(chan os.Signal, 1)
	asked := false
	log := t.TempDir() + "/trace.log"
	got := run(t, ctx, Options{
		Last: 500, Dump: dump, Output: log, Command: []string{"sleep", "60"},
		Status: func(s Status) {
			if s.Containers > 0 && !asked && s.Records > 30 {
				asked = true
				dump <- unix.SIGUSR1
				return
			}
			if raw, _ := os.ReadFile(log); asked && bytes.Contains(raw, []byte(`"type":"last"`)) {
				cancel()
			}
		},
	})
	list := of[*trace.Last](got, "sleep")
	i := slices.IndexFunc(list, func(l *trace.Last) bool {
		return l.Syscall == "clock_nanosleep" && l.Why == trace.WhySignal && l.Result == nil && !l.Unseen
	})
	if i < 0 {
		for _, l := range list {
			t.Logf("%+v", *l)
		}
		t.Error("no clock_nanosleep that has not returned")
	}
}

func TestLastLimits(t *testing.T) {
	if checkExtras(Options{Files: true, Pin: PinFolder}) == nil || checkExtras(Options{Pin: PinFolder}) != nil {
		t.Error("--files with --pin, or --pin alone")
	}
	for n, good := range map[int]bool{0: true, 1: true, MaxLast: true, MaxLast + 1: false, -1: false} {
		if err := checkExtras(Options{Last: n}); (err == nil) != good {
			t.Errorf("checkExtras(%d): %v", n, err)
		}
		if n > 0 && good && (Rings(n) < 1 || Rings(n) >= maxSlots) {
			t.Errorf("Rings(%d) = %d", n, Rings(n))
		}
	}
}

// TestLastForks has many tasks die in exit_group, and others born on the stacks
// they leave: nobody's exit has a result.
func TestLastForks(t *testing.T) {
	got := runWith(t, Options{Last: 1000, Command: []string{"sh", "-c", `i=0; while [ $i -lt 100 ]; do (exit 0); i=$((i+1)); done`}})
	exits := 0
	for _, l := range of[*trace.Last](got, "sh") {
		if l.Syscall == "exit_group" {
			exits++
			if l.Result != nil || l.Unseen {
				t.Errorf("an exit_group that came back: %+v", *l)
			}
		}
	}
	if exits < 100 {
		t.Errorf("%d of more than 100 exits", exits)
	}
}
