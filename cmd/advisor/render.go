package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"advisor/report"
)

// renderCmd shows a report that was saved with --format json.
type renderCmd struct {
	output
	rendering
	verdict
	Report string `arg:"" name:"report" help:"A report in JSON; '-' is stdin."`
}

// Run renders the report, with the exit code that making it had.
func (c *renderCmd) Run(s streams) error {
	classes, err := c.classes()
	if err := errors.Join(err, c.check(), c.checkAlso(), c.spares([]string{c.Report})); err != nil {
		return err
	}
	r, err := readReport(c.Report, s.in)
	if err != nil {
		return hint(err, "advisor diff --format json makes one")
	}
	if err := c.render(s, r, c.output); err != nil {
		return err
	}
	if r.Selected(classes) {
		return exitCode(exitDrift)
	}
	return nil
}

func readReport(name string, stdin io.Reader) (*report.Report, error) {
	if name == "-" {
		return report.Read("stdin", stdin)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading the report: %w", err)
	}
	defer f.Close()
	return report.Read(name, f)
}
