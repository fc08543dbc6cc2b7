package monitor

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"advisor/fixtures/bed"
	"advisor/monitor/container"
	"advisor/trace"
)

// TestFullDisk fills the disk while containers run, and makes room before the
// end: nothing is lost. Where nobody makes room, the recorder says so.
func TestFullDisk(t *testing.T) {
	for _, room := range []bool{true, false} {
		dir, filler := smallDisk(t)
		path := filepath.Join(dir, "trace.log")
		ctx, cancel := context.WithCancel(t.Context())
		res, err := Run(ctx, Options{
			Output: path, Selection: container.Selection{Host: true},
			Ready: func(Status) {
				go func() {
					defer cancel()
					forks(t, 0, 20)
					fills(t, dir)
					forks(t, 20, 5)
					if room {
						if err := os.Remove(filler); err != nil {
							t.Error(err)
						}
					}
				}()
			},
		})
		if !room {
			if !errors.Is(err, unix.ENOSPC) {
				t.Errorf("a full disk gives %v", err)
			}
			continue
		}
		if err != nil {
			skipOrFail(t, err)
		}
		got := recorded{Result: res, records: read(t, path)}
		if found, whole := wholeForks(t, got, 25); found != 25 || whole != found || got.Complete != trace.CompleteTrue {
			t.Errorf("%d of 25 namespaces, %d whole, complete %s", found, whole, got.Complete)
		}
	}
}

// fills waits until the disk is full.
func fills(t *testing.T, dir string) {
	t.Helper()
	var at unix.Statfs_t
	for range 500 {
		if err := unix.Statfs(dir, &at); err != nil {
			t.Error(err)
			return
		}
		if at.Bavail == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("the disk does not fill: the test proves nothing")
}

// TestStalledReader records into a pipe that nobody reads until all is over: the
// recorder does not wait, and the reader gets everything.
func TestStalledReader(t *testing.T) {
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	beats := 0
	ended := make(chan error, 1)
	go func() {
		_, err := Run(ctx, Options{
			Output: "-", Stdout: in, Selection: container.Selection{Host: true},
			Status: func(s Status) {
				// Far more than a pipe holds, and the recorder still beats.
				if s.Bytes > 128<<10 {
					beats++
				}
				if beats == 3 {
					cancel()
				}
			},
			Ready: func(Status) { go forks(t, 0, 60) },
		})
		ended <- err
	}()
	<-ctx.Done()
	raw, err := io.ReadAll(out) // Run closes the other end
	if err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		skipOrFail(t, err)
	}
	r := trace.NewReader(bytes.NewReader(raw), "pipe")
	for {
		_, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if beats < 3 || !strings.Contains(string(raw), `"complete":"true"`) {
		t.Errorf("%d beats while nobody read, %d bytes", beats, len(raw))
	}
}

// TestFailedStart leaves the trace that is there as it is, and none where there
// is none: pinning fails, after the probes were attached.
func TestFailedStart(t *testing.T) {
	bed.Require(t)
	pin := filepath.Join(filepath.Dir(PinFolder), "advisor-test-taken")
	if err := os.Mkdir(pin, 0o700); err != nil {
		bed.Skip(t, "no bpf file system: %v", err)
	}
	defer os.Remove(pin)
	path := filepath.Join(t.TempDir(), "trace.log")
	for _, before := range []string{"", "mine\n"} {
		if before != "" {
			if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Run(t.Context(), Options{Output: path, Force: true, Pin: pin}); err == nil {
			t.Fatal("recording into a folder that is taken")
		}
		after, err := os.ReadFile(path)
		if string(after) != before || (err == nil) != (before != "") {
			t.Errorf("before %q, after %q, %v", before, after, err)
		}
	}
	if out, err := exec.Command("ls", pin).Output(); err != nil || len(out) > 0 {
		t.Errorf("left behind: %s, %v", out, err)
	}
}

// badDisk takes everything and keeps nothing.
type badDisk struct {
	bytes.Buffer
	err error // of Sync
}

func (d *badDisk) Sync() error  { return d.err }
func (d *badDisk) Close() error { return nil }
func (d *badDisk) Name() string { return "trace.log" }

// TestDiskForgets: a disk that took what was written and could not keep it is an
// error. That something cannot be synced at all is none.
func TestDiskForgets(t *testing.T) {
	for err, wrong := range map[error]bool{
		unix.EIO: true, unix.ENOSPC: true, unix.EDQUOT: true, nil: false, unix.EINVAL: false, unix.ENOTSUP: false,
	} {
		var failed error
		if err != nil {
			failed = &os.PathError{Op: "sync", Path: "trace.log", Err: err}
		}
		s := newSpool(&badDisk{err: failed}, 0)
		if _, err := s.Write([]byte("a line\n")); err != nil {
			t.Fatal(err)
		}
		s.finish()
		if got := s.wait(); wrong && !errors.Is(got, err) || !wrong && got != nil {
			t.Errorf("syncing fails with %v: %v", err, got)
		}
	}
}
