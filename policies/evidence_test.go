package policies_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"advisor/policies"
	"advisor/trace"
)

// TestComplete is about container a of a trace with two.
func TestComplete(t *testing.T) {
	lost := func(container string, n uint64) trace.Record {
		return &trace.Loss{Probe: "syscalls", Stage: "map", Count: n, Reason: "full", Container: container}
	}
	ended := func(complete trace.Complete, n uint64) trace.Record {
		return &trace.End{Time: at(9), Complete: complete, Lost: n}
	}
	flagged := func(flag string) trace.Record { return &trace.Container{ID: "a", Flags: []string{flag}} }
	tests := []struct {
		name string
		rest []trace.Record
		want trace.Complete
		lost uint64
	}{
		{"all is well", []trace.Record{ended("true", 0)}, "true", 0},
		{"no end", nil, "unknown", 0},
		{"the end does not know", []trace.Record{ended("unknown", 0)}, "unknown", 0},
		{"lost by this container", []trace.Record{lost("a", 2), ended("false", 2)}, "false", 2},
		{"lost by another container", []trace.Record{lost("b", 2), ended("false", 2)}, "true", 0},
		{"lost by nobody in particular", []trace.Record{lost("", 2), ended("false", 2)}, "false", 2},
		{"only evidence was lost", []trace.Record{
			&trace.Loss{Probe: "syscalls", Stage: "ring", Count: 3, EvidenceOnly: true}, ended("true", 0)}, "true", 0},
		{"more lost than told", []trace.Record{lost("b", 2), ended("false", 5)}, "false", 3},
		{"not complete, for no reason", []trace.Record{ended("false", 0)}, "false", 0},
		{"a loss and no end", []trace.Record{lost("a", 1)}, "false", 1},
		{"flagged incomplete", []trace.Record{flagged("incomplete"), ended("true", 0)}, "false", 0},
		{"flagged late", []trace.Record{flagged("late"), ended("true", 0)}, "unknown", 0},
		{"flagged sampled", []trace.Record{flagged("sampled"), ended("true", 0)}, "true", 0},
		{"two recordings, one without an end", []trace.Record{header("n1"), call("a", 0, 1), ended("true", 0)}, "unknown", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := observe(append([]trace.Record{header("n1"), call("a", 0, 1), call("b", 0, 1)}, tt.rest...))[0].Evidence
			if got.Complete != tt.want || got.Lost != tt.lost {
				t.Errorf("complete %s, lost %d, want %s, %d", got.Complete, got.Lost, tt.want, tt.lost)
			}
		})
	}
}

// TestLateReplica lets a replica that was seen from its start speak for one
// that was there before.
func TestLateReplica(t *testing.T) {
	early := &trace.Container{ID: "a", Name: "web"}
	late := &trace.Container{ID: "b", Name: "web", Existed: true, Flags: []string{trace.FlagLate}}
	got := observe([]trace.Record{header("n1"), early, late, finish(9)})[0].Evidence
	if got.Late != 1 || got.Complete != trace.CompleteTrue {
		t.Errorf("late %d, complete %s, want 1, true", got.Late, got.Complete)
	}
}

func TestOffProbes(t *testing.T) {
	off := header("n1")
	off.Probes = trace.Probes{Syscalls: "tp_btf/sys_enter", Capabilities: "off: no BTF", Network: "off"}
	got := observe([]trace.Record{off, call("a", 0, 1), finish(9)})[0].Evidence.Off
	if diff := cmp.Diff([]string{"capabilities: off: no BTF", "network: off"}, got); diff != "" {
		t.Errorf("off (-want +got):\n%s", diff)
	}
}

// TestRead folds what a reader gives, and what it cannot give.
func TestRead(t *testing.T) {
	const (
		head = `{"type":"header","schema":"advisor.trace/v1","node":"n","boot":"b"}` + "\n"
		fact = `{"type":"syscall","container":"a","phase":"run","arch":"x86_64","nr":0}` + "\n"
		end3 = `{"type":"end","records":3,"lost":0,"complete":"true"}` + "\n"
	)
	tests := []struct {
		name, text string
		want       trace.Complete
		notes      []string
		bad        int
		fails      bool
	}{
		{"whole", head + fact + fact + end3, "true", nil, 0, false},
		{"cut", head + fact + `{"type":"sysc`, "unknown",
			[]string{"t.log: it stops without an end record", "t.log: its last line breaks off"}, 0, false},
		{"a bad line", head + fact + "?\n" + end3, "false", nil, 1, false},
		{"lines missing", head + fact + end3, "false", nil, 0, false},
		{"a later version", head + fact + `{"type":"weather"}` + "\n" + end3, "unknown",
			[]string{"t.log: it is of a later version (records not understood: 1, fields: 0)"}, 0, false},
		{"foreign", "hello", "", nil, 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := policies.NewObserver()
			bad, err := o.Read(trace.NewReader(strings.NewReader(tt.text), "t.log"))
			if len(bad) != tt.bad || (err != nil) != tt.fails {
				t.Errorf("bad lines %v, error %v", bad, err)
			}
			for _, obs := range o.Observations() {
				if diff := cmp.Diff(tt.notes, withoutNaming(obs.Evidence.Notes)); diff != "" || obs.Evidence.Complete != tt.want {
					t.Errorf("complete %s, want %s; notes (-want +got):\n%s", obs.Evidence.Complete, tt.want, diff)
				}
			}
		})
	}
}

func withoutNaming(notes []string) []string {
	var rest []string
	for _, note := range notes {
		if !strings.HasPrefix(note, "no trace says") {
			rest = append(rest, note)
		}
	}
	return rest
}

// TestNeverRan doubts a recording in which only the runtime did something, as of a
// container whose program is not there.
func TestNeverRan(t *testing.T) {
	start := call("a", 0, 1)
	start.Phase = trace.PhaseStart
	const note = "no program of the workload was seen to run, only what starts its container"
	for _, tt := range []struct {
		name  string
		calls []trace.Record
		want  trace.Complete
		notes []string
	}{
		{"only the start", []trace.Record{start}, trace.CompleteUnknown, []string{note}},
		{"start and run", []trace.Record{start, call("a", 1, 1)}, trace.CompleteTrue, nil},
		{"idle", nil, trace.CompleteTrue, nil},
	} {
		records := append([]trace.Record{header("n1"), &trace.Container{ID: "a", Name: "web"}}, tt.calls...)
		got := observe(append(records, finish(9)))[0].Evidence
		if got.Complete != tt.want || !slices.Equal(got.Notes, tt.notes) {
			t.Errorf("%s: complete %s, notes %q; want %s, %q", tt.name, got.Complete, got.Notes, tt.want, tt.notes)
		}
	}
}
