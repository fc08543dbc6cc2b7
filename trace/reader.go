package trace

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Reader reads the records of one trace, plain or compressed with zstd: it
// looks, whatever the name says. A trace may hold several recordings one after
// the other, each from its Header to its End, and several zstd frames.
//
// Memory does not grow with the trace.
type Reader struct {
	input io.Reader
	name  string
	lines *lines // nil before the first record
	cache cache

	stopped error  // what Next returns from now on
	opened  bool   // a header was read
	ended   bool   // since the last End there was no header
	records uint64 // lines of this recording so far

	unknownRecords, unknownFields uint64
	cut, missing                  uint64
}

// NewReader reads the trace in r; name stands for it in errors.
func NewReader(r io.Reader, name string) *Reader { return &Reader{input: r, name: name} }

// Name is what stands for the trace in errors.
func (r *Reader) Name() string { return r.name }

// Line is the number of the line that Next returned last, from 1.
func (r *Reader) Line() int {
	if r.lines == nil {
		return 0
	}
	return r.lines.n
}

// Unknown is how many records of an unknown type were left out, and how many
// fields that this version does not know were ignored. Where there are any,
// the trace says more than was read.
func (r *Reader) Unknown() (records, fields uint64) { return r.unknownRecords, r.unknownFields }

// Cut is how many lines broke off at the end of the trace, 0 or 1. They were
// dropped.
func (r *Reader) Cut() uint64 { return r.cut }

// Missing is by how much the recordings' own counts of their lines differ from
// the lines there are: somebody took lines out, or put some in.
func (r *Reader) Missing() uint64 { return r.missing }

// Next returns the next record, which is the caller's to keep; io.EOF after the
// End record; [ErrIncomplete] where the trace stops short of one. After a
// [*LineError] the reader can go on with the line that follows. Any other error
// stays.
func (r *Reader) Next() (Record, error) {
	for r.stopped == nil {
		rec, err := r.line()
		if err != nil || rec != nil {
			return rec, err
		}
	}
	return nil, r.stopped
}

// line reads one line: neither record nor error where it is empty or of an
// unknown type, and at the end of the trace.
func (r *Reader) line() (Record, error) {
	if r.lines == nil {
		lines, err := open(r.input)
		if err != nil {
			return nil, r.stop(fmt.Errorf("%s: %w", r.name, err))
		}
		r.lines = lines
	}
	text, ended, err := r.lines.next()
	switch {
	case errors.Is(err, errLongLine):
		return r.accept(nil, err)
	case err != nil:
		return nil, r.end(err)
	case len(bytes.TrimSpace(text)) == 0:
		return nil, nil
	}
	rec, err := r.parse(text)
	if err != nil && !ended && r.opened {
		r.cut++ // the next line is the end
		return nil, nil
	}
	return r.accept(rec, err)
}

// accept holds a record against its place in the trace.
func (r *Reader) accept(rec Record, err error) (Record, error) {
	_, isHeader := rec.(*Header)
	switch {
	case errors.Is(err, ErrNotTrace):
		return nil, r.stop(fmt.Errorf("%s:%d: %w", r.name, r.lines.n, err))
	case !r.opened && !isHeader:
		return nil, r.refuse(rec, err)
	case err != nil:
		return nil, r.bad(err)
	case isHeader:
		r.opened, r.ended, r.records = true, false, 0
	case r.ended:
		return nil, r.bad(errors.New("a record after the end record, and no header before it"))
	}
	r.count(rec)
	return rec, nil
}

// count holds the lines of a recording against what its End says.
func (r *Reader) count(rec Record) {
	if end, ok := rec.(*End); ok {
		r.ended = true
		r.missing += max(end.Records, r.records) - min(end.Records, r.records)
	}
	r.records++
}

// parse reads the record of a line, nil where its type is not known.
func (r *Reader) parse(text []byte) (Record, error) {
	if rec := r.cache.get(text); rec != nil {
		return rec, nil
	}
	rec, unknown, err := decode(text)
	if err != nil {
		return nil, explain(err)
	}
	r.unknownFields += uint64(unknown)
	if rec == nil {
		r.unknownRecords++
	}
	if rec != nil && unknown == 0 {
		r.cache.put(rec)
	}
	return rec, nil
}

func (r *Reader) bad(err error) error {
	r.records++
	return &LineError{Name: r.name, Line: r.lines.n, Err: err}
}

// refuse stops at a first line that is no header.
func (r *Reader) refuse(rec Record, err error) error {
	switch {
	case err == nil && rec == nil:
		err = errors.New("it is of an unknown type")
	case err == nil:
		err = fmt.Errorf("it is a record of type %s", rec.Type())
	}
	return r.stop(fmt.Errorf("%s:%d: %w: the first line should be a header with schema %q, but %w",
		r.name, r.lines.n, ErrNotTrace, Schema, err))
}

// end is the end of the input, or what keeps it from being read. A compressed
// trace that was cut ends in the middle of a frame.
func (r *Reader) end(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		r.cut = 1
	case !errors.Is(err, io.EOF):
		return r.stop(fmt.Errorf("%s: reading after line %d: %w", r.name, r.lines.n, err))
	}
	switch {
	case !r.opened:
		return r.stop(fmt.Errorf("%s: %w: it is empty, without even a header line", r.name, ErrNotTrace))
	case r.ended && r.cut == 0:
		return r.stop(io.EOF)
	}
	return r.stop(fmt.Errorf("%s: %w", r.name, ErrIncomplete))
}

func (r *Reader) stop(err error) error {
	r.stopped = err
	return err
}
