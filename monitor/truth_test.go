package monitor

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"advisor/fixtures/bed"
	"advisor/trace"
)

// straced is what strace says was called.
func straced(t *testing.T, path string) []string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	call := regexp.MustCompile(`(?m)^(?:\d+ +)?([a-z_][a-z0-9_]*)\(`)
	var names []string
	for _, m := range call.FindAllSubmatch(raw, -1) {
		names = append(names, string(m[1]))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// called are the names of the system calls of one phase.
func called(list []*trace.Syscall, phase trace.Phase) []string {
	var names []string
	for _, c := range list {
		if c.Phase == phase {
			names = append(names, c.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(some, s) })
}

// TestNothingMissing holds the recorder against strace, which sees the very
// same processes.
func TestNothingMissing(t *testing.T) {
	bed.Require(t, "strace", "python3")
	tests := []struct{ name, script string }{
		{"pipelines", `for i in 1 2 3; do ls -l /usr/bin | sort | uniq -c | head -3; done >/dev/null; find /etc -name '*.conf' | wc -l`},
		{"threads", `python3 -c 'import threading,socket,subprocess
t=[threading.Thread(target=lambda: subprocess.run(["true"])) for _ in range(5)]
[x.start() for x in t]; [x.join() for x in t]
s=socket.socket(); s.bind(("127.0.0.1",0)); s.listen(); s.close()'`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			truth := filepath.Join(t.TempDir(), "strace")
			got := run(t, t.Context(), Options{
				Command: []string{"strace", "-f", "-qq", "-o", truth, "sh", "-c", tt.script},
			})
			want := straced(t, truth)
			if len(want) < 20 {
				t.Fatalf("strace saw only %v", want)
			}
			calls := called(of[*trace.Syscall](got, "strace"), trace.PhaseRun)
			if missing := without(want, calls); len(missing) > 0 {
				t.Errorf("missing: %v", missing)
			}
		})
	}
}
