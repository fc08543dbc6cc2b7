package monitor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// syncEvery bounds what a crash of the machine can cost.
	syncEvery = 5 * time.Second
	// retryEvery is how often a full disk is tried again.
	retryEvery = 200 * time.Millisecond
	// maxSpooled is how much may wait for a disk that takes nothing. A fact is
	// about 200 bytes.
	maxSpooled = 64 << 20
)

// errSpool says that a disk took nothing for too long.
var errSpool = errors.New("more than 64 MiB wait for it")

// spooled is the file, as an [os.File] is one.
type spooled interface {
	Write(p []byte) (int, error)
	Sync() error
	Close() error
	Name() string
}

// spool writes a file off the recorder's own path, so that a slow disk, a pipe
// that nobody reads and a full disk keep what is recorded waiting, and not the
// recorder.
type spool struct {
	file spooled
	done chan struct{} // closed when nothing is written any more

	mu      sync.Mutex
	change  sync.Cond // of what follows
	waiting []byte
	bytes   uint64 // in the file, and on the way there
	written uint64 // in the file
	closed  bool
	full    bool  // the disk is
	err     error // that ended the writing
}

// newSpool writes to file, which has size bytes, and closes it in the end unless
// it is the standard output.
func newSpool(file spooled, size uint64) *spool {
	s := &spool{file: file, bytes: size, written: size, done: make(chan struct{})}
	s.change.L = &s.mu
	go s.run()
	return s
}

// Write takes p over and returns at once.
func (s *spool) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil && len(s.waiting) > maxSpooled {
		s.err = errSpool
	}
	if s.err != nil {
		return 0, s.err
	}
	s.waiting = append(s.waiting, p...)
	s.bytes += uint64(len(p))
	s.change.Signal()
	return len(p), nil
}

// state is how long the file will be, whether the disk is full, and the error
// that ended the writing.
func (s *spool) state() (bytes uint64, full bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes, s.full, s.err
}

// finish lets the rest be written and the file be closed.
func (s *spool) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.change.Signal()
}

// wait returns when the file is closed, with what went wrong.
func (s *spool) wait() error {
	<-s.done
	return s.err
}

// run writes until it is finished. Syncing belongs here too: it waits for the
// disk.
func (s *spool) run() {
	defer close(s.done)
	synced := time.Now()
	for {
		chunk, more := s.take()
		if !more {
			break
		}
		if !s.put(chunk) {
			break
		}
		if time.Since(synced) >= syncEvery {
			s.sync()
			synced = time.Now()
		}
	}
	s.sync()
	if s.file == os.Stdout {
		return
	}
	if err := s.file.Close(); err != nil {
		s.fail(err)
	}
}

// sync waits for the disk. One that cannot keep what it has taken says so here, and
// only once. Pipes and the like cannot be synced, and need not be.
func (s *spool) sync() {
	err := s.file.Sync()
	if err == nil || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.ENOSYS) {
		return
	}
	s.fail(err)
}

// take waits for something to write.
func (s *spool) take() (chunk []byte, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.waiting) == 0 && !s.closed {
		s.change.Wait()
	}
	chunk, s.waiting = s.waiting, nil
	return chunk, len(chunk) > 0
}

// put writes chunk. While the disk is full it tries again; once the recording
// has ended, only one more time.
func (s *spool) put(chunk []byte) bool {
	for {
		n, err := s.file.Write(chunk)
		chunk = chunk[n:]
		s.wrote(n)
		if err == nil {
			s.isFull(false)
			return true
		}
		full := errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
		if !full || s.isFull(true) && n == 0 {
			s.fail(err)
			return false
		}
		time.Sleep(retryEvery)
	}
}

func (s *spool) wrote(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written += uint64(n)
}

// mark is a place in a file. What stands before it outlives this process once it
// is written.
type mark struct {
	spool *spool
	at    uint64
}

// mark is behind everything that was handed over.
func (s *spool) mark() mark {
	s.mu.Lock()
	defer s.mu.Unlock()
	return mark{s, s.bytes}
}

func (m mark) reached() bool {
	m.spool.mu.Lock()
	defer m.spool.mu.Unlock()
	return m.spool.written >= m.at
}

// isFull notes whether the disk is, and tells whether the recording has ended.
func (s *spool) isFull(full bool) (ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full = full
	return s.closed
}

func (s *spool) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err // its path is the file's name
	}
	if s.err == nil {
		s.err = fmt.Errorf("%s: %w", s.file.Name(), err)
	}
}
