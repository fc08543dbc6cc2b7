package monitor

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"advisor/trace"
)

// output is the trace being written. Its first error is kept and given back by
// everything after, so that a broken disk is told once and nothing is lost in
// silence.
type output struct {
	o        Options
	spool    *spool
	earlier  []*spool // of segments that are full
	w        *trace.Writer
	segments *segments // nil where the trace stays in one file
	full     bool      // the disk is, and it was told
	err      error

	records uint64 // of earlier segments
	bytes   uint64
}

// vacant says early, before anything is loaded, whether the trace can be where o
// wants it. Nothing is made or changed until there is something to record.
func vacant(o Options) error {
	if o.Output == "-" {
		switch {
		case o.Stdout == nil || len(o.Command) > 0:
			return errors.New("the trace cannot go to standard output: the command has it")
		case o.Rotate > 0:
			return errors.New("standard output has no segments: -o PATH goes with --rotate")
		}
		return nil
	}
	info, err := os.Stat(o.Output)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("creating the trace: %s is a directory", o.Output)
	case err == nil && !o.Append && !o.Force:
		return fmt.Errorf("%s exists: %w", o.Output, os.ErrExist)
	case errors.Is(err, fs.ErrNotExist):
		_, err = os.Stat(filepath.Dir(o.Output))
	}
	if err != nil {
		return fmt.Errorf("creating the trace: %w", err)
	}
	return nil
}

// create opens the trace of o. It is readable by its owner only, and belongs to
// the user who called sudo. Probes are attached already: a trace that is there
// is replaced only when another can be recorded.
func create(o Options) (*output, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	out := &output{o: o}
	if o.Rotate > 0 {
		out.segments = newSegments(o.Rotate)
	}
	if o.Output == "-" {
		out.spool = newSpool(o.Stdout, 0)
		out.w = trace.NewWriter(out.spool)
		return out, nil
	}
	flags := os.O_WRONLY | os.O_CREATE
	switch {
	case o.Append:
		flags = os.O_RDWR | os.O_CREATE | os.O_APPEND
	case o.Force: // emptied when it is ours
	default:
		flags |= os.O_EXCL
	}
	return out, out.open(flags)
}

// open begins to write the file.
func (o *output) open(flags int) error {
	f, err := os.OpenFile(o.o.Output, flags, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists: %w", o.o.Output, os.ErrExist)
	}
	if err != nil {
		return fmt.Errorf("creating the trace: %w", err)
	}
	if err := o.claim(f); err != nil {
		return errors.Join(fmt.Errorf("creating the trace: %w", err), f.Close())
	}
	giveToCaller(f)
	if err := o.begin(f); err != nil {
		return errors.Join(err, f.Close())
	}
	return nil
}

// claim has the file to ourselves as long as it is open: two recorders that write
// one file make no trace. What is to be replaced is emptied only then.
func (o *output) claim(f *os.File) error {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	// A file system that knows no locks stays usable.
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
		return fmt.Errorf("%s is being written by another recorder", o.o.Output)
	}
	if o.o.Force {
		return f.Truncate(0)
	}
	return nil
}

// begin makes the writer. What a crash cut off in the middle, of a line or of a
// compressed frame, must not swallow the header that follows it. A trace that is
// there is continued as it is, compressed or not.
func (o *output) begin(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("creating the trace: %w", err)
	}
	compressed := strings.HasSuffix(o.o.Output, ".zst")
	if info.Mode().IsRegular() && info.Size() > 0 {
		if compressed = trace.Compressed(f); compressed {
			info, err = mended(o.o.Output, f)
		}
	}
	if err != nil {
		return fmt.Errorf("continuing the trace: %w", err)
	}
	if compressed {
		o.spool = newSpool(f, uint64(info.Size()))
		o.w, err = trace.NewZstdWriter(o.spool)
		return err
	}
	last := []byte{'\n'}
	if info.Size() > 0 {
		_, _ = f.ReadAt(last, info.Size()-1) // of what can be read only: a pipe cannot
	}
	o.spool = newSpool(f, uint64(info.Size()))
	o.w = trace.NewWriter(o.spool)
	if last[0] != '\n' {
		_, err = o.spool.Write([]byte{'\n'})
	}
	return err
}

// mended puts a compressed trace right that f appends to, which itself can write
// at its end only.
func mended(path string, f *os.File) (fs.FileInfo, error) {
	whole, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer whole.Close()
	info, err := whole.Stat()
	if err == nil {
		err = trace.Mend(whole, info.Size())
	}
	if err != nil {
		return nil, err
	}
	return f.Stat()
}

// giveToCaller makes the file belong to who called sudo. Where it cannot be
// done, it stays root's.
func giveToCaller(f *os.File) {
	uid, err := strconv.Atoi(os.Getenv("SUDO_UID"))
	if err != nil {
		return
	}
	gid, err := strconv.Atoi(os.Getenv("SUDO_GID"))
	if err != nil {
		gid = -1
	}
	_ = f.Chown(uid, gid)
}

// write appends a record. One that the format refuses is the only thing lost.
func (o *output) write(rec trace.Record) error {
	if o.err != nil {
		return o.err
	}
	if o.segments != nil {
		rec = o.segments.number(rec)
	}
	err := o.w.Write(rec)
	switch {
	case errors.Is(err, trace.ErrInvalid):
		return fmt.Errorf("writing the trace: %w", err)
	case err != nil:
		return o.fail(err)
	case o.segments != nil:
		o.segments.note(rec)
	}
	return nil
}

func (o *output) fail(err error) error {
	if o.err == nil {
		o.err = fmt.Errorf("writing the trace: %w", err)
	}
	return o.err
}

// flush hands over what was written, and tells when the disk is full. It does not
// wait for the disk.
func (o *output) flush() error {
	if o.err != nil {
		return o.err
	}
	if err := o.w.Flush(); err != nil {
		return o.fail(err)
	}
	_, full, err := o.spool.state()
	if err != nil {
		return o.fail(err)
	}
	if full != o.full {
		o.full = full
		if full {
			o.o.Log.Warn("the disk of the trace is full: recording goes on and waits for room", "trace", o.o.Output)
		} else {
			o.o.Log.Warn("the disk of the trace has room again", "trace", o.o.Output)
		}
	}
	return nil
}

// turn begins another segment when this one is full.
func (o *output) turn(now time.Time) error {
	if o.segments == nil || o.err != nil {
		return o.err
	}
	if bytes, _, _ := o.spool.state(); !o.segments.due(bytes) {
		return nil
	}
	return o.rotate(now)
}

// status is how much was written, over all segments.
func (o *output) status() (records, bytes uint64) {
	return o.records + o.w.Records(), o.bytes + o.w.Bytes()
}

// close waits until everything is on the disk.
func (o *output) close() error {
	err := o.err
	if err == nil {
		err = o.w.Close()
	}
	o.spool.finish()
	for _, s := range append(o.earlier, o.spool) {
		if failed := s.wait(); failed != nil && o.err == nil {
			err = errors.Join(err, o.fail(failed))
		}
	}
	return err
}
