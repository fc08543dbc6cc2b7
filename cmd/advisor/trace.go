package main

import (
	"encoding/json"
	"fmt"

	"advisor/report"
)

// traceCmd works on traces themselves.
type traceCmd struct {
	Info     traceInfoCmd     `cmd:"" help:"Say what a trace holds."`
	Validate traceValidateCmd `cmd:"" help:"Check that traces are whole."`
	Merge    traceMergeCmd    `cmd:"" help:"Make one trace of several."`
	Last     traceLastCmd     `cmd:"" help:"Print the last calls of containers, as strace does."`
}

// traces are the traces a command reads.
type traces struct {
	Traces []string `arg:"" optional:"" name:"trace" help:"Traces to read; '-' is stdin. Default: ./trace.log."`
}

// names are the traces to read.
func (t traces) names() []string {
	if len(t.Traces) == 0 {
		return []string{report.DefaultTrace}
	}
	return t.Traces
}

type traceInfoCmd struct {
	traces
	Format string `enum:"text,json" default:"text" help:"text or json."`
}

// Run prints a description of each trace.
func (c *traceInfoCmd) Run(s streams) error {
	for _, name := range c.names() {
		t, err := report.Describe(name, s.in)
		if err != nil {
			return traceHint(err)
		}
		if err := c.print(s, t); err != nil {
			return fmt.Errorf("writing the description: %w", err)
		}
	}
	return nil
}

func (c *traceInfoCmd) print(s streams, t report.Trace) error {
	if c.Format == "json" {
		return json.NewEncoder(s.out).Encode(t)
	}
	return t.Text(s.out)
}

type traceValidateCmd struct {
	traces
}

// Run reads each trace to its end. It ends with 1 where one can be read but is
// not whole, and with 2 where one cannot be read at all.
func (c *traceValidateCmd) Run(s streams) error {
	problems := 0
	for _, name := range c.names() {
		t, err := report.Describe(name, s.in)
		if err != nil {
			return traceHint(err)
		}
		problems += len(t.Problems)
		for _, p := range t.Problems {
			fmt.Fprintf(s.out, "%s: %s\n", name, p)
		}
	}
	if problems > 0 {
		return exitCode(exitDrift)
	}
	return nil
}
