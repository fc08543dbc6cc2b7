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

// Merge writes what several traces say as one: each recording once, by its
// start, with each of its facts once, first sighting first. Who reads the
// result observes what who reads all of the inputs does. The same inputs give
// the same bytes, whatever their order; one input twice counts once.
//
// Lines that cannot be read are returned, and stand in the result as lost; so
// do unknown records and fields, which make its end doubtful. A recording
// without an end is left without one. The error is of an input or of the
// output. Memory grows with distinct facts, not with records.
func Merge(w *Writer, inputs ...*Reader) (bad []*LineError, err error) {
	var all []*recording
	for _, in := range inputs {
		some, lines, err := fold(in)
		if err != nil {
			return nil, err
		}
		nameBoots(some)
		all, bad = append(all, some...), append(bad, lines...)
	}
	slices.SortFunc(bad, func(a, b *LineError) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.Line, b.Line))
	})
	last := ""
	slices.SortFunc(all, compareRecordings)
	for _, rec := range all {
		if text := rec.text(); text != last {
			last = text
			if err := rec.writeTo(w); err != nil {
				return nil, err
			}
		}
	}
	return bad, nil
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
			return nil, nil, err
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
