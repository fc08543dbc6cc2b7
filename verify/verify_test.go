package verify

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// imagined is an experiment on a workload that works under the lists that works
// accepts.
func imagined(list string, works func(has func(string) bool) bool) *experiment {
	e := &experiment{o: Options{Capabilities: strings.Fields(list), Within: time.Minute}}
	e.start = func(_ Options, _ context.Context, s setting) (*process, error) {
		code := 1
		if works(func(name string) bool { return slices.Contains(s.capabilities, name) }) {
			code = 0
		}
		ended := make(chan struct{})
		close(ended)
		return &process{
			ended: ended, code: func() int { return code },
			last: func() string { return "no\n" }, stop: func() error { return nil },
		}, nil
	}
	return e
}

func TestRun(t *testing.T) {
	const why = "it ended with 1: no"
	tests := []struct {
		name, list string
		works      func(has func(string) bool) bool
		want       Result
	}{
		{"all needed", "A B", func(has func(string) bool) bool { return has("A") && has("B") },
			Result{Verdicts: []Verdict{{"A", true, why}, {"B", true, why}},
				Least: []string{"A", "B"}, Runs: 3}},
		{"one to spare", "A B", func(has func(string) bool) bool { return has("B") },
			Result{Verdicts: []Verdict{{"A", false, ""}, {"B", true, why}},
				Least: []string{"B"}, Runs: 3}},
		{"one of two", "C B A", func(has func(string) bool) bool { return has("A") || has("B") },
			Result{Verdicts: []Verdict{{"C", false, ""}, {"B", false, ""}, {"A", false, ""}},
				Least: []string{"A"}, Runs: 7}},
		{"nothing to verify", "", func(func(string) bool) bool { return true },
			Result{Least: []string{}, Runs: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := imagined(tt.list, tt.works).run(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestRestrictions tries two that cannot both hold, and one that can with either.
func TestRestrictions(t *testing.T) {
	run := func(list ...Restriction) []Outcome {
		e := &experiment{o: Options{Within: time.Minute, Restrictions: list}}
		e.start = func(_ Options, _ context.Context, s setting) (*process, error) {
			ended := make(chan struct{})
			close(ended)
			code := 0
			if s.quiet && s.readOnly != nil && len(s.readOnly.Tmpfs) == 0 {
				code = 3
			}
			return &process{
				ended: ended, code: func() int { return code },
				last: func() string { return "" }, stop: func() error { return nil },
			}, nil
		}
		got, err := e.run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return got.Restrictions
	}
	quiet, bare := Restriction{Name: NoNewPrivileges}, Restriction{Name: ReadOnly}
	scratch := Restriction{Name: ReadOnly, Tmpfs: []string{"/run"}}
	want := []Outcome{
		{Name: NoNewPrivileges, Passed: true}, {Name: ReadOnly, Reason: "it ended with 3"},
		{Name: ReadOnly, Passed: true, Tmpfs: []string{"/run"}},
	}
	if diff := cmp.Diff(want, run(quiet, bare, scratch)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	want = []Outcome{
		{Name: ReadOnly, Passed: true}, {Name: NoNewPrivileges, Reason: "it ended with 3"},
	}
	if diff := cmp.Diff(want, run(bare, quiet)); diff != "" {
		t.Errorf("the other way round (-want +got)\n%s", diff)
	}
}

func TestRunFails(t *testing.T) {
	e := imagined("A", func(func(string) bool) bool { return false })
	if _, err := e.run(context.Background()); !errors.Is(err, ErrFails) {
		t.Errorf("got %v", err)
	}
}

func TestProbe(t *testing.T) {
	ended := make(chan struct{})
	close(ended)
	short, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	tests := []struct {
		name, command string
		ctx           context.Context
		ended         chan struct{}
		want          string
	}{
		{"passes", `test "$A" = b`, context.Background(), nil, ""},
		{"passes though it ended", "true", context.Background(), ended, ""},
		{"ended", "echo broken; exit 3", context.Background(), ended,
			"it ended, and the probe fails: exit status 3: broken"},
		{"never", "false", short, nil, "the probe fails: "},
	}
	for _, tt := range tests {
		err := Probe(tt.ctx, tt.command, []string{"A=b"}, tt.ended, nil)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if !strings.HasPrefix(text, tt.want) || tt.want == "" && err != nil {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}
