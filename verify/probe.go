package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// pause is between two tries of a probe.
const pause = 100 * time.Millisecond

// Probe runs a shell command, with env added to the environment, until it exits
// 0. It fails when ctx is done, or ended is closed and the probe fails once
// more; ended may be nil.
func Probe(ctx context.Context, command string, env []string, ended <-chan struct{},
	out io.Writer) error {
	failed := errors.New("it gave no answer in time")
	for {
		over := closed(ended)
		err := once(ctx, command, env, out)
		if err != nil && ctx.Err() == nil {
			failed = err // and not that the time is up
		}
		switch {
		case err == nil:
			return nil
		case over:
			return fmt.Errorf("it ended, and the probe fails: %w", failed)
		case ctx.Err() != nil:
			return fmt.Errorf("the probe fails: %w", failed)
		}
		select {
		case <-ctx.Done():
		case <-ended:
		case <-time.After(pause):
		}
	}
}

func closed(ended <-chan struct{}) bool {
	select {
	case <-ended:
		return true
	default:
		return false
	}
}

func once(ctx context.Context, command string, env []string, out io.Writer) error {
	tail := &tail{to: out}
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", command)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = tail, tail
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if last := tail.line(); err != nil && last != "" {
		return fmt.Errorf("%w: %s", err, last)
	}
	return err
}

// tail passes on what is written, and keeps the last line.
type tail struct {
	to   io.Writer
	mu   sync.Mutex
	text []byte
}

// kept is how much of the end is kept.
const kept = 512

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - kept; over > 0 {
		t.text = append([]byte{}, t.text[over:]...)
	}
	if t.to == nil {
		return len(p), nil
	}
	return t.to.Write(p)
}

func (t *tail) line() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.TrimSpace(string(t.text))
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// errNothing says that there is nothing to run.
var errNothing = errors.New("neither a command nor an image to run")
