package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"advisor/report"
)

// traceLastCmd prints what the flight recorder kept.
type traceLastCmd struct {
	Container []string `short:"c" placeholder:"NAME" help:"Only these containers, by name or the beginning of their id."`
	Format    string   `enum:"text,json" default:"text" help:"text, as strace writes calls, or json, a line each."`
	traces
}

// Run prints the last calls of each trace.
func (c *traceLastCmd) Run(s streams) error {
	for _, name := range c.names() {
		list, err := report.Last(name, c.Container, s.in)
		if errors.Is(err, report.ErrNoLast) {
			return hint(err, "record with advisor monitor --last N; they are written when a container ends, "+
				"when a filter first refuses a call of it, and on SIGUSR1")
		}
		if err != nil {
			return traceHint(err)
		}
		for _, calls := range list {
			if err := c.print(s, calls); err != nil {
				return fmt.Errorf("writing the calls: %w", err)
			}
		}
	}
	return nil
}

func (c *traceLastCmd) print(s streams, l report.LastCalls) error {
	if c.Format == "text" {
		return l.Text(s.out)
	}
	out := json.NewEncoder(s.out)
	out.SetEscapeHTML(false)
	for _, call := range l.Calls {
		if err := out.Encode(call); err != nil {
			return err
		}
	}
	return nil
}
