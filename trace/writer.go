package trace

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Writer writes the records of one trace, a line each. It is not safe for use
// by several goroutines.
type Writer struct {
	out      *bufio.Writer
	zstd     *zstd.Encoder // nil for plain text
	body     bytes.Buffer
	records  uint64 // of this recording
	total    uint64
	bytes    uint64
	recorded bool // a header was written, and no end after it
}

// NewWriter writes plain lines to w. The caller closes w after [Writer.Close].
func NewWriter(w io.Writer) *Writer { return &Writer{out: bufio.NewWriter(w)} }

// NewZstdWriter compresses. Each [Writer.Flush] ends a block, so that a file
// cut anywhere yields every line up to the last one; the frames of several
// writers, one after the other, read as one trace.
func NewZstdWriter(w io.Writer) (*Writer, error) {
	enc, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(zstdWindow))
	if err != nil {
		return nil, fmt.Errorf("compressing a trace: %w", err)
	}
	return &Writer{out: bufio.NewWriter(enc), zstd: enc}, nil
}

// zstdWindow bounds what the recorder spends on compression: lines repeat soon.
const zstdWindow = 1 << 20

// Write appends one record. It is buffered until [Writer.Flush]. Records are
// checked as the Reader checks them, and one that is refused, with
// [ErrInvalid], leaves the trace as it was. The first is a Header; after an End
// there may be another. An End's Records are counted here, whatever it says.
func (w *Writer) Write(rec Record) error {
	if err := w.place(rec); err != nil {
		return err
	}
	if end, ok := rec.(*End); ok {
		counted := *end
		counted.Records = w.records
		rec = &counted
	}
	line, err := w.encode(rec)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrInvalid, rec.Type(), err)
	}
	n, err := w.out.Write(line)
	w.bytes += uint64(n)
	if err != nil {
		return fmt.Errorf("writing a record of type %s: %w", rec.Type(), err)
	}
	w.count(rec)
	return nil
}

// place says why a record cannot stand here.
func (w *Writer) place(rec Record) error {
	if err := check(rec); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrInvalid, rec.Type(), err)
	}
	if _, ok := rec.(*Header); !ok && !w.recorded {
		return fmt.Errorf("%w: %s: there is no header before it", ErrInvalid, rec.Type())
	}
	return nil
}

func (w *Writer) encode(rec Record) ([]byte, error) {
	w.body.Reset()
	fmt.Fprintf(&w.body, `{"type":%q,`, rec.Type())
	start := w.body.Len()
	enc := json.NewEncoder(&w.body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(rec); err != nil {
		return nil, err
	}
	// The encoder's brace gives way to what stands before it.
	line := w.body.Bytes()
	line = append(line[:start], line[start+1:]...)
	if len(line) > maxLine {
		return nil, errLongLine
	}
	return line, nil
}

func (w *Writer) count(rec Record) {
	switch rec.(type) {
	case *Header:
		w.recorded, w.records = true, 0
	case *End:
		w.recorded = false
	}
	w.records++
	w.total++
}

// Records is the number of records written so far.
func (w *Writer) Records() uint64 { return w.total }

// Bytes is the number of bytes written so far, before compression.
func (w *Writer) Bytes() uint64 { return w.bytes }

// Flush hands everything written so far to the underlying writer.
func (w *Writer) Flush() error {
	if err := w.out.Flush(); err != nil || w.zstd == nil {
		return err
	}
	return w.zstd.Flush()
}

// Close flushes, and ends the compressed frame. It does not close the
// underlying writer. Nothing can be written afterwards.
func (w *Writer) Close() error {
	err := w.out.Flush()
	if w.zstd != nil {
		err = errors.Join(err, w.zstd.Close())
	}
	return err
}
