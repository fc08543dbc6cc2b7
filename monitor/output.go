package monitor

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"advisor/trace"
)

// syncEvery bounds what a crash of the machine can cost.
const syncEvery = 5 * time.Second

// output is the trace being written. Its first error is kept and given back by
// everything after, so that a full disk is told once and nothing is lost in
// silence.
type output struct {
	file   *os.File
	w      *trace.Writer
	fresh  bool // the file was made by us
	synced time.Time
	err    error

	refused uint64 // records that the format does not take
}

// create opens the trace of o. It is readable by its owner only, and belongs to
// the user who called sudo.
func create(o Options) (*output, error) {
	if o.Output == "-" {
		if o.Stdout == nil || len(o.Command) > 0 {
			return nil, errors.New("the trace cannot go to standard output: the command has it")
		}
		return &output{file: o.Stdout, w: trace.NewWriter(o.Stdout)}, nil
	}
	flags := os.O_WRONLY | os.O_CREATE
	switch {
	case o.Append:
		flags = os.O_RDWR | os.O_CREATE | os.O_APPEND
	case o.Force:
		flags |= os.O_TRUNC
	default:
		flags |= os.O_EXCL
	}
	f, err := os.OpenFile(o.Output, flags, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("%s exists: %w", o.Output, os.ErrExist)
	}
	if err != nil {
		return nil, fmt.Errorf("creating the trace: %w", err)
	}
	giveToCaller(f)
	out := &output{file: f, fresh: !o.Append && !o.Force}
	if err := out.begin(o); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return out, nil
}

// begin makes the writer. What a crash cut off in the middle of a line must not
// swallow the header that follows it.
func (o *output) begin(opts Options) error {
	if strings.HasSuffix(opts.Output, ".zst") {
		w, err := trace.NewZstdWriter(o.file)
		o.w = w
		return err
	}
	o.w = trace.NewWriter(o.file)
	if !opts.Append {
		return nil
	}
	info, err := o.file.Stat()
	if err != nil {
		return fmt.Errorf("continuing the trace: %w", err)
	}
	last := make([]byte, 1)
	if _, err := o.file.ReadAt(last, info.Size()-1); err != nil || last[0] == '\n' {
		return nil // empty, a pipe, or whole
	}
	if _, err := o.file.WriteString("\n"); err != nil {
		return fmt.Errorf("continuing the trace: %w", err)
	}
	return nil
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
	err := o.w.Write(rec)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, trace.ErrInvalid):
		o.refused++
		return fmt.Errorf("writing the trace: %w", err)
	}
	o.err = fmt.Errorf("writing the trace: %w", err)
	return o.err
}

// flush hands over what was written, and every few seconds sees it onto the disk.
func (o *output) flush() error {
	if o.err != nil {
		return o.err
	}
	if err := o.w.Flush(); err != nil {
		o.err = fmt.Errorf("writing the trace: %w", err)
		return o.err
	}
	if time.Since(o.synced) >= syncEvery {
		// Pipes and the like cannot be synced, and need not be.
		_ = o.file.Sync()
		o.synced = time.Now()
	}
	return nil
}

// abandon removes a trace that has nothing in it, and gives back why.
func (o *output) abandon(why error) error {
	if o.fresh {
		return errors.Join(why, os.Remove(o.file.Name()))
	}
	return why
}

func (o *output) close() error {
	err := o.flush()
	if err == nil {
		err = o.w.Close()
	}
	if o.file == os.Stdout {
		return err
	}
	_ = o.file.Sync()
	return errors.Join(err, o.file.Close())
}
