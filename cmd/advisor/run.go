package main

import (
	"fmt"
	"io"
)

// Exit codes, as in diff(1) and kubectl diff.
const (
	exitOK    = 0
	exitDrift = 1 // done, and at least one finding that --fail-on selects
	exitError = 2 // no answer: bad usage, unreadable input, no privilege
)

func run(args []string, _ io.Reader, _, stderr io.Writer) int {
	fmt.Fprintln(stderr, "advisor: no command of", args)
	return exitError
}
