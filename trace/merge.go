package trace

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
)

// Merge makes one trace of several: each recording once, by its start, with each
// of its facts once, first sighting first. Who reads the result observes what
// who reads all of the traces does. The same traces give the same bytes,
// whatever their order; one that is added twice counts once. Memory grows with
// distinct facts, not with records.
type Merge struct {
	all []*recording
}

// Add reads a trace to its end. Lines that cannot be read are returned, and
// stand in the result as lost; unknown records and fields make its end
// doubtful. A recording without an end is left without one. After an error,
// which is of the input, nothing of the trace was added.
func (m *Merge) Add(in *Reader) (bad []*LineError, err error) {
	some, bad, err := fold(in)
	if err != nil {
		return bad, err
	}
	nameBoots(some)
	m.all = append(m.all, some...)
	return bad, nil
}

// Write writes what was added. The error is of the output.
func (m *Merge) Write(w *Writer) error {
	all := joinSegments(m.all)
	slices.SortFunc(all, compareRecordings)
	last := ""
	for _, rec := range all {
		if text := rec.text(); text != last {
			last = text
			if err := rec.writeTo(w); err != nil {
				return err
			}
		}
	}
	return nil
}

// fold reads the recordings of one trace.
func fold(in *Reader) (all []*recording, bad []*LineError, err error) {
	var now *recording
	var told struct{ missing, unknown uint64 }
	for {
		rec, err := in.Next()
		var line *LineError
		switch {
		case errors.As(err, &line):
			bad = append(bad, line)
			now.lose(1, "a line cannot be read")
			continue
		case errors.Is(err, io.EOF) || errors.Is(err, ErrIncomplete):
			return all, bad, nil
		case err != nil:
			return nil, bad, err
		}
		if h, ok := rec.(*Header); ok {
			now = newRecording(h)
			all = append(all, now)
			continue
		}
		now.add(rec)
		if records, fields := in.Unknown(); records+fields > told.unknown {
			told.unknown = records + fields
			now.doubtful = true
		}
		if in.Missing() > told.missing {
			now.lose(in.Missing()-told.missing, "lines were taken out or put in")
			told.missing = in.Missing()
		}
	}
}

// nameBoots gives the recordings of a trace that says neither node nor boot a
// boot of their own: until now the trace itself told their containers from
// those of others.
func nameBoots(all []*recording) {
	digest := sha256.New()
	for _, r := range all {
		_, _ = io.WriteString(digest, r.text())
	}
	for _, r := range all {
		if r.header.Node == "" && r.header.Boot == "" {
			r.header.Boot = "trace-" + hex.EncodeToString(digest.Sum(nil)[:8])
			r.rendered = ""
		}
	}
}

// compareRecordings orders by start, and by everything else after that.
func compareRecordings(a, b *recording) int {
	return cmp.Or(a.header.Start.Compare(b.header.Start), strings.Compare(a.text(), b.text()))
}
