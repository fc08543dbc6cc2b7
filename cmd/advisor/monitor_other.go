//go:build !linux

package main

import (
	"errors"
	"runtime"
)

// Run says that recording is a matter of Linux.
func (c *monitorCmd) Run(streams) error {
	return hint(errors.New("recording needs Linux; this is "+runtime.GOOS),
		"record there, and report here: everything else works on any system")
}

func firstProcess() (first bool, code int) { return false, 0 }
