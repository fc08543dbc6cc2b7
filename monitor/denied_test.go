package monitor

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"advisor/fixtures/bed"
	"advisor/monitor/container"
	"advisor/trace"
)

// TestExpecting: what a filter refuses is watched for while a namespace is new,
// before anything tells of its filter.
func TestExpecting(t *testing.T) {
	now := uint64(bootClock())
	old := now - uint64(2*youngFor)
	for _, tt := range []struct {
		name string
		s    space
		want bool
	}{
		{"new", space{time: now}, true},
		{"old", space{time: old}, false},
		{"ended", space{time: now, ended: now}, false},
		{"there before", space{time: now, late: true}, false},
		{"nothing known", space{}, false},
	} {
		r := &recording{spaces: map[uint64]*space{1: &tt.s}}
		if got := r.expecting(); got != tt.want {
			t.Errorf("%s: %t after %v", tt.name, got, time.Duration(now-tt.s.time))
		}
	}
}

// TestRefusing: it is watched for while somebody has a filter who is recorded, or
// of whom that is not known yet.
func TestRefusing(t *testing.T) {
	for _, tt := range []struct {
		name string
		s    space
		want bool
	}{
		{"of nobody yet", space{filtered: true}, true},
		{"without a filter", space{subject: &subject{decided: true, wanted: true}}, false},
		{"recorded", space{filtered: true, subject: &subject{decided: true, wanted: true}}, true},
		{"open", space{filtered: true, subject: &subject{}}, true},
		{"not recorded", space{filtered: true, subject: &subject{decided: true}}, false},
		{"its first process ended", space{filtered: true, ended: 1, scanned: 7}, true},
		{"all ended", space{filtered: true, ended: 1, scanned: 6}, false},
	} {
		if got := (&recording{scans: 7}).refusing(&tt.s); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}

// TestSuddenFilters: with nothing selected, nobody watches for refused calls until
// a namespace begins. One that has a filter and is refused a call within its first
// microseconds may be too fast for that. Then that is counted as its loss.
func TestSuddenFilters(t *testing.T) {
	for _, way := range []string{bySeccomp, byPrctl, byParent, byHiding} {
		t.Run(way, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			got := run(t, ctx, Options{
				Selection: container.Selection{Host: true},
				Ready: func(Status) {
					go func() {
						defer cancel()
						args := self(t, "sudden", way)
						if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
							t.Errorf("%v: %s", err, out)
						}
					}()
				},
			})
			seen, lost := refusals(t, got)
			t.Logf("seen %t, lost %t", seen, lost)
			if !seen && !lost {
				t.Error("a refused call is missing, and nothing says so")
			}
			if (got.Complete == trace.CompleteFalse) != lost {
				t.Errorf("complete %v, a loss %t", got.Complete, lost)
			}
		})
	}
}

// TestFilterBefore: who has a filter before recording begins is watched from then on.
func TestFilterBefore(t *testing.T) {
	args := self(t, "sudden", byWaiting)
	cmd := exec.Command(args[0], args[1:]...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer in.Close() // ends the child, whatever becomes of this test
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("the child says %q: %v", line, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	got := run(t, ctx, Options{
		Selection: container.Selection{Host: true},
		Ready: func(Status) {
			go func() {
				defer cancel()
				if _, err := in.Write([]byte{'\n'}); err != nil {
					t.Error(err)
				}
				if err := cmd.Wait(); err != nil {
					t.Errorf("the child: %v", err)
				}
			}()
		},
	})
	if seen, lost := refusals(t, got); !seen || lost {
		t.Errorf("the refused call is seen %t, a loss %t; want it seen", seen, lost)
	}
}

// refusals tells whether keyctl of the namespace with the first tag is in the trace
// as refused, and whether a loss of such calls is.
func refusals(t *testing.T, got recorded) (seen, lost bool) {
	t.Helper()
	at := slices.IndexFunc(got.records, func(rec trace.Record) bool {
		c, ok := rec.(*trace.Syscall)
		return ok && c.Nr == tagged
	})
	if at < 0 {
		t.Fatal("the namespace is not in the trace")
	}
	id := containerOf(got.records[at])
	for _, rec := range got.records {
		switch rec := rec.(type) {
		case *trace.Denied:
			seen = seen || rec.Container == id && rec.Nr == unix.SYS_KEYCTL && rec.Action == "ENOTNAM"
		case *trace.Loss:
			lost = lost || rec.Container == id && rec.Stage == "denied" && !rec.EvidenceOnly
		}
	}
	return seen, lost
}

// TestRefusedInACrowd: where tasks share an entry of the stack table, here all of the
// machine, it does not tell any more who entered a call. What a filter refuses is
// found all the same, and nothing else is taken for refused.
func TestRefusedInACrowd(t *testing.T) {
	got := run(t, t.Context(), Options{Denied: "on", crowded: true, Command: self(t, "crowded")})
	if got.ExitCode != 0 {
		t.Fatalf("the program ends with %d: %s", got.ExitCode, got.stdout)
	}
	var want, have []int
	for _, nr := range crowdedCalls() {
		want = append(want, int(nr))
	}
	for _, d := range of[*trace.Denied](got, baseName(self(t)[0])) {
		have = append(have, d.Nr)
	}
	slices.Sort(want)
	slices.Sort(have)
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("refused (-want +got):\n%s; losses %+v", diff, got.Losses)
	}
}

// TestFirstContainer: a runtime takes longer to its filter than the recorder to
// watch for what that refuses. A busy machine may turn this round, and the
// container says so then.
func TestFirstContainer(t *testing.T) {
	bed.Require(t, "runc")
	dir := bundle(t, fmt.Sprintf("perl -e 'syscall(%d, 0, 0, 0, 0, 0)'; exit 7", unix.SYS_KEYCTL))
	name := fmt.Sprintf("advisor-first-%d", os.Getpid())
	ctx, cancel := context.WithCancel(t.Context())
	got := run(t, ctx, Options{Ready: func(Status) {
		go func() {
			defer cancel()
			runNamed(t, dir, name)
		}()
	}})
	denied := of[*trace.Denied](got, name)
	seen := slices.ContainsFunc(denied, func(d *trace.Denied) bool { return d.Nr == unix.SYS_KEYCTL })
	lost := slices.ContainsFunc(got.Losses, func(l trace.Loss) bool { return l.Stage == "denied" })
	t.Logf("seen %t, lost %t", seen, lost)
	if !seen && !lost {
		t.Errorf("refused %+v, losses %+v: keyctl is missing", denied, got.Losses)
	}
}
