package main

import (
	"errors"
	"io/fs"

	"advisor/report"
)

type traceMergeCmd struct {
	traces
	Output string `short:"o" default:"-" placeholder:"PATH" help:"Write here, compressed if the name ends in .zst; '-' is stdout."`
}

// Run writes several traces as one. Lines that cannot be read are told, and
// count as lost in the result.
func (c *traceMergeCmd) Run(s streams) error {
	bad, err := report.Merge(c.Output, c.names(), s.in, s.out)
	for _, line := range bad {
		s.say("%v", line)
	}
	if errors.Is(err, fs.ErrExist) {
		return hint(err, "no trace is replaced: remove it, or write another file")
	}
	if err != nil {
		return traceHint(err)
	}
	return nil
}
