package policies

import (
	"errors"
	"fmt"
	"io"

	"advisor/trace"
)

// Read takes in a whole trace. Lines that cannot be read are returned, and
// count as lost, as do lines that the trace says it has and that are not there.
// A trace without an end, or with fields of a later version, is incomplete. The
// error is of the input and ends the reading; what was read before it is kept.
func (o *Observer) Read(r *trace.Reader) (bad []*trace.LineError, err error) {
	var told doubts
	for {
		rec, err := r.Next()
		var line *trace.LineError
		switch {
		case err == nil:
			o.Add(r.Name(), rec)
			if rec.Type() == "end" {
				told = o.judge(r, told)
			}
		case errors.As(err, &line):
			bad = append(bad, line)
			o.Add(r.Name(), unread(1, "a line cannot be read"))
		default:
			return bad, o.stop(r, told, err)
		}
	}
}

// stop takes in how a trace ended, and returns the error if it is one.
func (o *Observer) stop(r *trace.Reader, told doubts, err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case errors.Is(err, trace.ErrNotTrace) && r.Line() <= 1:
		return err
	}
	o.judge(r, told)
	if r.Cut() > 0 {
		o.Incomplete(r.Name(), "its last line breaks off")
	}
	if errors.Is(err, trace.ErrIncomplete) {
		o.Incomplete(r.Name(), "it stops without an end record")
		return nil
	}
	o.Incomplete(r.Name(), "it cannot be read to its end")
	return err
}

// doubts are what a reader counts of a trace that is not all there.
type doubts struct {
	missing, records, fields uint64
}

// judge takes in what a reader says of the recording it is in, beyond what it
// said of those before.
func (o *Observer) judge(r *trace.Reader, told doubts) doubts {
	now := doubts{missing: r.Missing()}
	now.records, now.fields = r.Unknown()
	if now.missing > told.missing {
		o.Add(r.Name(), unread(now.missing-told.missing, "lines were taken out or put in"))
	}
	records, fields := now.records-told.records, now.fields-told.fields
	if records+fields > 0 {
		o.Incomplete(r.Name(), fmt.Sprintf(
			"it is of a later version (records not understood: %d, fields: %d)", records, fields))
	}
	return now
}

func unread(n uint64, reason string) *trace.Loss {
	return &trace.Loss{Probe: "trace", Stage: "read", Count: n, Reason: reason}
}
