//go:build !linux

package main

import "runtime"

// Run says which half of advisor works here.
func (doctorCmd) Run(s streams) error {
	s.say("recording needs Linux; this is %s", runtime.GOOS)
	s.say("report, diff, compare and trace work here")
	return exitCode(exitError)
}
