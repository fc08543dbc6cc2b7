package main

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"advisor/report"
	"advisor/trace"
)

// hinted is an error with the sentence that gets a user further.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// hint adds a sentence to an error, below it on the terminal.
func hint(err error, format string, args ...any) error {
	return hinted{err, fmt.Sprintf(format, args...)}
}

// complain prints an error and its hints, innermost first.
func complain(s streams, err error) {
	s.say("%v", err)
	var h hinted
	for errors.As(err, &h) {
		defer s.say("hint: %s", h.hint)
		err = h.error
	}
}

// traceHint adds where traces come from to an error of reading one.
func traceHint(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return hint(err, "record one first: advisor monitor -o %s", report.DefaultTrace)
	case errors.Is(err, trace.ErrLater):
		return hint(err, "an advisor as new as the one that recorded it reads it")
	case errors.Is(err, syscall.EISDIR):
		return hint(err, "name the traces in it: a shell makes DIRECTORY/*.log of them")
	case errors.Is(err, trace.ErrNotTrace):
		return hint(err, "advisor monitor writes traces; advisor trace info says what is in one")
	}
	return err
}
