package monitor

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"advisor/trace"
)

func write(t *testing.T, o Options) {
	t.Helper()
	out, err := create(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range []trace.Record{
		&trace.Header{Schema: trace.Schema}, &trace.End{Complete: trace.CompleteTrue},
	} {
		if err := out.write(rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.close(); err != nil {
		t.Fatal(err)
	}
}

// TestAppend continues a trace, a compressed one too, and one that a crash cut
// in the middle of a line.
func TestAppend(t *testing.T) {
	for _, name := range []string{"trace.log", "trace.log.zst"} {
		path := filepath.Join(t.TempDir(), name)
		write(t, Options{Output: path})
		write(t, Options{Output: path, Append: true})
		if got := read(t, path); len(got) != 4 {
			t.Errorf("%s: %d records, want 4", name, len(got))
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, want 0600", name, info.Mode())
		}
	}
}

func TestAppendToCutLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace.log")
	const cut = `{"type":"header","schema":"advisor.trace/v1"}` + "\n" + `{"type":"sysca`
	if err := os.WriteFile(path, []byte(cut), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, Options{Output: path, Append: true})
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(raw, []byte("\n")); lines != 4 {
		t.Errorf("%d lines, want the header's, the cut one and two more:\n%s", lines, raw)
	}
}

// TestOneRecorderAtATime does not let two recorders write one file, whatever the
// second was told to do with it, and takes it when the first is done.
func TestOneRecorderAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace.log")
	first, err := create(Options{Output: path})
	if err != nil {
		t.Fatal(err)
	}
	put := func(rec trace.Record) {
		if err := first.write(rec); err != nil {
			t.Fatal(err)
		}
	}
	put(&trace.Header{Schema: trace.Schema})
	for _, o := range []Options{{Output: path, Force: true}, {Output: path, Append: true}} {
		if _, err := create(o); err == nil || !strings.Contains(err.Error(), "is being written by another recorder") {
			t.Errorf("force %v, append %v: %v", o.Force, o.Append, err)
		}
	}
	put(&trace.End{Complete: trace.CompleteTrue})
	if err := first.close(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); len(got) != 2 {
		t.Errorf("%d records, want the first recorder's two", len(got))
	}
	write(t, Options{Output: path, Force: true})
	if got := read(t, path); len(got) != 2 {
		t.Errorf("%d records after it was replaced, want 2", len(got))
	}
}

// TestNothingPinned says that there is nothing to take up before anything else.
func TestNothingPinned(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "advisor")
	if err := pinned(Options{Pin: dir, Resume: true}); err == nil || !strings.Contains(err.Error(), "no recording to take up") {
		t.Errorf("got %v", err)
	}
	if err := pinned(Options{Pin: dir}); err != nil {
		t.Error(err)
	}
}

// TestAppendToCutFrame: a compressed trace whose recorder was killed is continued,
// and so is one under a name that says otherwise.
func TestAppendToCutFrame(t *testing.T) {
	for _, name := range []string{"trace.log.zst", "trace.log"} {
		var cut bytes.Buffer
		w, err := trace.NewZstdWriter(&cut)
		if err == nil {
			err = w.Write(&trace.Header{Schema: trace.Schema})
		}
		if err = errors.Join(err, w.Flush()); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, cut.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		write(t, Options{Output: path, Append: true})
		write(t, Options{Output: path, Append: true})
		if got := read(t, path); len(got) != 5 {
			t.Errorf("%s: %d records, want the header, and two of each recording behind it", name, len(got))
		}
	}
}
