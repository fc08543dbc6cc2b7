package report

import (
	"errors"
	"fmt"
	"io"

	"advisor/policies"
	"advisor/trace"
)

// Trace describes one trace.
type Trace struct {
	Name      string         `json:"name"`
	Header    trace.Header   `json:"header"`
	End       *trace.End     `json:"end,omitempty"` // nil where the trace breaks off
	Records   map[string]int `json:"records"`       // by type
	Losses    []trace.Loss   `json:"losses,omitempty"`
	Problems  []string       `json:"problems,omitempty"` // what makes it less than whole, in order
	Workloads []Contents     `json:"workloads"`
}

// Contents counts the distinct facts of one workload.
type Contents struct {
	Workload     policies.Workload `json:"workload"`
	Containers   int               `json:"containers"`
	Syscalls     int               `json:"syscalls"`
	Capabilities int               `json:"capabilities"`
	Connects     int               `json:"connects"`
	Accepts      int               `json:"accepts"`
	Denied       int               `json:"denied"`
}

// Describe reads one trace and says what is in it and what is wrong with it.
func Describe(name string, stdin io.Reader) (Trace, error) {
	t := Trace{Name: name, Records: make(map[string]int)}
	observer := policies.NewObserver()
	err := withTrace(name, stdin, func(r *trace.Reader) error {
		err := t.read(r, observer)
		t.judge(r)
		return err
	})
	if err != nil {
		return Trace{}, err
	}
	for _, o := range observer.Observations() {
		t.Workloads = append(t.Workloads, contents(o))
	}
	return t, nil
}

func (t *Trace) read(r *trace.Reader, observer *policies.Observer) error {
	for {
		rec, err := r.Next()
		var bad *trace.LineError
		switch {
		case errors.As(err, &bad):
			t.Problems = append(t.Problems, fmt.Sprintf("line %d: %v", bad.Line, bad.Err))
		case errors.Is(err, trace.ErrIncomplete):
			t.Problems = append(t.Problems, trace.ErrIncomplete.Error())
			t.End = nil
			return nil
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		default:
			t.Records[rec.Type()]++
			t.note(rec)
			observer.Add(r.Name(), rec)
		}
	}
}

// note keeps what is said of the trace itself; of several recordings in one
// file, the first header and the last end.
func (t *Trace) note(rec trace.Record) {
	switch rec := rec.(type) {
	case *trace.Header:
		if t.Header.Schema == "" {
			t.Header = *rec
		}
	case *trace.End:
		t.End = rec
	case *trace.Loss:
		t.Losses = append(t.Losses, *rec)
	}
}

// judge adds what only the reader knows.
func (t *Trace) judge(r *trace.Reader) {
	if n := r.Cut(); n > 0 {
		t.Problems = append(t.Problems, "the last line is cut off")
	}
	if n := r.Missing(); n > 0 {
		t.Problems = append(t.Problems, plural(int(n), "line")+" more or less than its end record counts")
	}
	if records, fields := r.Unknown(); records+fields > 0 {
		t.Problems = append(t.Problems, fmt.Sprintf("%s and %s are of a later version of the format",
			plural(int(records), "record"), plural(int(fields), "field")))
	}
	for _, l := range t.Losses {
		if !l.EvidenceOnly { // else every fact is there
			t.Problems = append(t.Problems, lossLine(l))
		}
	}
}

func lossLine(l trace.Loss) string {
	line := fmt.Sprintf("%d lost at %s/%s: %s", l.Count, l.Probe, l.Stage, l.Reason)
	if l.Container != "" {
		line += " (container " + l.Container + ")"
	}
	return line
}

func contents(o policies.Observation) Contents {
	return Contents{
		Workload: o.Workload, Containers: len(o.Containers),
		Syscalls: distinctCalls(o), Capabilities: distinctCapabilities(o),
		Connects: len(o.Connects), Accepts: len(o.Accepts), Denied: len(o.Denied),
	}
}

func distinctCalls(o policies.Observation) int {
	type call struct {
		arch string
		nr   int
	}
	set := make(map[call]bool)
	for _, s := range o.Syscalls {
		set[call{s.Arch, s.Nr}] = true
	}
	return len(set)
}

func distinctCapabilities(o policies.Observation) int {
	set := make(map[string]bool)
	for _, c := range o.Capabilities {
		set[c.Name] = true
	}
	return len(set)
}
