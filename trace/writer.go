package trace

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// Writer writes the records of one trace, a line each.
type Writer struct {
	out     *bufio.Writer
	records uint64
	bytes   uint64
}

// NewWriter writes to w. The caller closes w after [Writer.Flush].
func NewWriter(w io.Writer) *Writer { return &Writer{out: bufio.NewWriter(w)} }

// Write appends one record. It is buffered until [Writer.Flush].
func (w *Writer) Write(rec Record) error {
	body, err := json.Marshal(rec)
	if err != nil {
		return fmt.Errorf("encoding a %s record: %w", rec.Type(), err)
	}
	n, err := fmt.Fprintf(w.out, "{\"type\":%q,%s\n", rec.Type(), body[1:])
	w.records++
	w.bytes += uint64(n)
	return err
}

// Records is the number of records written so far.
func (w *Writer) Records() uint64 { return w.records }

// Bytes is the number of bytes written so far, before compression.
func (w *Writer) Bytes() uint64 { return w.bytes }

// Flush hands everything written so far to the underlying writer.
func (w *Writer) Flush() error { return w.out.Flush() }
