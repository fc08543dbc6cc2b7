package trace

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// ErrIncomplete is returned at the end of a trace that stops short of its End
// record. Everything read before it is good.
var ErrIncomplete = errors.New("trace stops without an end record")

// Reader reads the records of one trace.
type Reader struct {
	in   *bufio.Reader
	name string
	line int
	done bool
}

// NewReader reads the trace in r; name stands for it in errors.
func NewReader(r io.Reader, name string) *Reader {
	return &Reader{in: bufio.NewReaderSize(r, 1<<16), name: name}
}

// Next returns the next record, io.EOF after the End record, or
// [ErrIncomplete] where the trace stops short of one.
func (r *Reader) Next() (Record, error) {
	line, err := r.in.ReadBytes('\n')
	if err != nil {
		return nil, r.stop(err)
	}
	r.line++
	rec, err := parse(line)
	if err != nil {
		return nil, fmt.Errorf("%s:%d: %w", r.name, r.line, err)
	}
	_, r.done = rec.(*End)
	return rec, nil
}

func (r *Reader) stop(err error) error {
	if !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: reading: %w", r.name, err)
	}
	if r.done {
		return io.EOF
	}
	return ErrIncomplete
}

func parse(line []byte) (Record, error) {
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return nil, err
	}
	rec := newRecord(head.Type)
	if rec == nil {
		return nil, fmt.Errorf("unknown record type %q", head.Type)
	}
	return rec, json.Unmarshal(line, rec)
}

func newRecord(kind string) Record {
	switch kind {
	case "header":
		return new(Header)
	case "container":
		return new(Container)
	case "syscall":
		return new(Syscall)
	case "capability":
		return new(Capability)
	case "connect":
		return new(Connect)
	case "accept":
		return new(Accept)
	case "listen":
		return new(Listen)
	case "denied":
		return new(Denied)
	case "counts":
		return new(Counts)
	case "exit":
		return new(Exit)
	case "loss":
		return new(Loss)
	case "last":
		return new(Last)
	case "end":
		return new(End)
	}
	return nil
}
