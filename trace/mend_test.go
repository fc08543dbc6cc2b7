package trace_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"advisor/trace"
)

// cutTrace is a compressed trace whose writer was killed behind its second flush,
// and where its blocks end.
func cutTrace(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := trace.NewZstdWriter(&out)
	for _, rec := range []trace.Record{
		&trace.Header{Schema: trace.Schema, Node: "first"}, nil, &trace.Container{ID: "a", Name: "first"}, nil,
	} {
		if err == nil && rec != nil {
			err = w.Write(rec)
		} else if err == nil {
			err = w.Flush()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// wholeTrace is another recording.
func wholeTrace(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := trace.NewZstdWriter(&out)
	for _, rec := range []trace.Record{
		&trace.Header{Schema: trace.Schema, Node: "second"}, &trace.Container{ID: "b"},
		&trace.End{Complete: trace.CompleteTrue},
	} {
		if err == nil {
			err = w.Write(rec)
		}
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// readable says what is in a trace: the nodes of headers, ids of containers, ends
// and lines that cannot be read.
func readable(raw []byte) (list []string, err error) {
	in := trace.NewReader(bytes.NewReader(raw), "trace")
	for {
		rec, err := in.Next()
		var line *trace.LineError
		switch {
		case errors.As(err, &line):
			list = append(list, "bad")
			continue
		case err != nil:
			return list, err
		}
		switch rec := rec.(type) {
		case *trace.Header:
			list = append(list, "header "+rec.Node)
		case *trace.Container:
			list = append(list, "container "+rec.ID)
		default:
			list = append(list, rec.Type())
		}
	}
}

func mend(t testing.TB, raw []byte) ([]byte, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trace.zst")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	err = trace.Mend(f, int64(len(raw)))
	mended, failed := os.ReadFile(path)
	if failed != nil {
		t.Fatal(failed)
	}
	return mended, err
}

// TestMendAnywhere: wherever a compressed trace breaks off, all that follows it is
// read, and no less of what it held.
func TestMendAnywhere(t *testing.T) {
	first, second := cutTrace(t), wholeTrace(t)
	rest := []string{"header second", "container b", "end"}
	for n := range len(first) + 1 {
		before, _ := readable(first[:n])
		mended, err := mend(t, first[:n])
		if err != nil {
			t.Fatalf("of %d bytes: %v", n, err)
		}
		got, err := readable(slices.Concat(mended, second))
		if want := append(before, rest...); !errors.Is(err, io.EOF) || !slices.Equal(got, want) {
			t.Errorf("of %d bytes: %q, %v; want %q", n, got, err, want)
		}
	}
}

// TestMendWhole: nothing is changed in a trace that is whole, nor twice in one
// that was mended.
func TestMendWhole(t *testing.T) {
	once, err := mend(t, cutTrace(t))
	if err != nil {
		t.Fatal(err)
	}
	skippable := append([]byte("\x50\x2a\x4d\x18\x03\x00\x00\x00abc"), wholeTrace(t)...)
	for i, raw := range [][]byte{nil, wholeTrace(t), slices.Concat(wholeTrace(t), once, wholeTrace(t)), skippable} {
		if got, err := mend(t, raw); err != nil || !bytes.Equal(got, raw) {
			t.Errorf("trace %d: changed to %d bytes from %d, %v", i, len(got), len(raw), err)
		}
	}
}

// TestMendOther: what is no compressed trace is left as it is.
func TestMendOther(t *testing.T) {
	for _, raw := range []string{"{\"type\":\"header\"}\n", "\x28\xb5\x2f\xfd\x00\x58\x07\x00\x00"} {
		got, err := mend(t, []byte(raw))
		if !errors.Is(err, trace.ErrNotTrace) || string(got) != raw {
			t.Errorf("%q: %v, and it is %q", raw, err, got)
		}
	}
}

func FuzzMend(f *testing.F) {
	f.Add(cutTrace(f), 7)
	f.Add(slices.Concat(wholeTrace(f), cutTrace(f)), 3)
	f.Fuzz(func(t *testing.T, raw []byte, cut int) {
		file := &memory{raw: bytes.Clone(raw[:min(max(cut, 0), len(raw))])}
		if err := trace.Mend(file, int64(len(file.raw))); err != nil {
			return
		}
		once := bytes.Clone(file.raw)
		if err := trace.Mend(file, int64(len(once))); err != nil || !bytes.Equal(file.raw, once) {
			t.Errorf("mended twice: %v", err)
		}
	})
}

// memory is a file in memory.
type memory struct{ raw []byte }

func (m *memory) ReadAt(p []byte, at int64) (int, error) {
	return bytes.NewReader(m.raw).ReadAt(p, at)
}

func (m *memory) WriteAt(p []byte, at int64) (int, error) {
	if gap := int(at) + len(p) - len(m.raw); gap > 0 {
		m.raw = append(m.raw, make([]byte, gap)...)
	}
	return copy(m.raw[at:], p), nil
}

func (m *memory) Truncate(size int64) error {
	if size > int64(len(m.raw)) {
		return fmt.Errorf("grows to %d bytes", size)
	}
	m.raw = m.raw[:size]
	return nil
}
