//go:build !linux

package main

import (
	"errors"
	"runtime"
)

// Run says that experiments are a matter of Linux.
func (c *verifyCmd) Run(streams) error {
	if _, err := c.workload(); err != nil {
		return err
	}
	return hint(errors.New("verifying needs Linux; this is "+runtime.GOOS),
		"record and verify there, and report here")
}
