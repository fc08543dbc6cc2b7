package monitor

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"advisor/fixtures/bed"
	"advisor/trace"
)

// smallDisk is a disk of 4 MiB of which all but a few are taken, and the file
// that takes them.
func smallDisk(t *testing.T) (dir, filler string) {
	t.Helper()
	bed.Require(t)
	dir = t.TempDir()
	if err := unix.Mount("advisor-test", dir, "tmpfs", 0, "size=4m"); err != nil {
		bed.Skip(t, "cannot mount a small disk: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	filler = filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 4060<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, filler
}

// manyCalls writes a recording of 800 facts, some 120 KiB.
func manyCalls(t *testing.T, out *output) {
	t.Helper()
	put := func(rec trace.Record) {
		if err := out.write(rec); err != nil {
			t.Fatal(err)
		}
	}
	put(&trace.Header{Schema: trace.Schema})
	for nr := range 800 {
		put(&trace.Syscall{Container: "c", Phase: trace.PhaseRun, Arch: "x86_64", Nr: nr % 300,
			Sighting: trace.Sighting{PID: 1 + nr, Comm: "a-command", Exe: "/usr/bin/some-executable-of-the-workload"}})
		if err := out.flush(); err != nil {
			t.Fatal(err)
		}
	}
	put(&trace.End{Complete: trace.CompleteTrue})
}

// TestWaitsForRoom writes more than the disk holds. When somebody makes room,
// everything gets there; when nobody does, the end says so.
func TestWaitsForRoom(t *testing.T) {
	for _, room := range []bool{true, false} {
		dir, filler := smallDisk(t)
		path := filepath.Join(dir, "trace.log")
		out, err := create(Options{Output: path})
		if err != nil {
			t.Fatal(err)
		}
		manyCalls(t, out)
		if err := out.flush(); err != nil {
			t.Fatal(err)
		}
		isFull(t, out)
		if room {
			if err := os.Remove(filler); err != nil {
				t.Fatal(err)
			}
		}
		err = out.close()
		if room && err != nil || !room && !errors.Is(err, unix.ENOSPC) {
			t.Errorf("room %t: %v", room, err)
		}
		if !room {
			continue
		}
		if got := read(t, path); len(got) != 802 {
			t.Errorf("%d records, want 802", len(got))
		}
	}
}

func isFull(t *testing.T, out *output) {
	t.Helper()
	for range 500 {
		if _, full, _ := out.spool.state(); full {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("the disk does not fill: the test proves nothing")
}

// TestNobodyReads writes more into a pipe than it holds, without waiting for who
// reads it.
func TestNobodyReads(t *testing.T) {
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := create(Options{Output: "-", Stdout: to})
	if err != nil {
		t.Fatal(err)
	}
	manyCalls(t, out) // would hang here
	closed := make(chan error, 1)
	go func() { closed <- out.close() }()
	raw, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(raw, []byte("\n")); n != 802 || len(raw) <= 1<<16 {
		t.Errorf("%d lines, %d bytes; want 802 lines, and more bytes than a pipe holds", n, len(raw))
	}
}
