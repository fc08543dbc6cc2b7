package main

import (
	"errors"
	"fmt"
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
