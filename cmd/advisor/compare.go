package main

import (
	"bytes"
	"errors"
	"slices"

	"advisor/report"
)

// compareCmd compares two sets of declared policies.
type compareCmd struct {
	output
	Format   string   `enum:"text,json,markdown" default:"text" help:"text, json or markdown."`
	Kind     []string `enum:"seccomp,netpol,caps" default:"seccomp,netpol,caps" help:"Compare only these kinds."`
	Workload []string `short:"w" placeholder:"GLOB" help:"Only workloads of this name, Kind/name or namespace/Kind/name."`
	Engine   string   `placeholder:"NAME" help:"The engine that runs the containers: docker, podman, kubernetes …"`
	Dialect  string   `placeholder:"NAME" help:"The network plugin that enforces the policies."`
	FailOn   string   `enum:"any,looser,never" default:"any" help:"What ends with 1: any difference, looser ones, or never."`

	Old string `arg:"" help:"Manifests before: a file, a directory, or '-' for stdin."`
	New string `arg:"" help:"Manifests after."`
}

// Run prints what the new manifests allow that the old ones do not, and the
// reverse. It ends with 0 where both allow the same.
func (c *compareCmd) Run(s streams) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.Old == "-" && c.New == "-" {
		return errors.New("both sides cannot come from stdin")
	}
	before, err := report.LoadManifests([]string{c.Old}, s.in)
	if err != nil {
		return err
	}
	after, err := report.LoadManifests([]string{c.New}, s.in)
	if err != nil {
		return err
	}
	list, err := report.CompareManifests(before, after, report.Comparison{
		Kinds: c.Kind, Workloads: c.Workload, Engine: c.Engine, Dialect: c.Dialect,
	})
	if err != nil {
		return err
	}
	d := report.Differences{
		Schema: report.CompareSchema, Old: c.Old, New: c.New, Differences: list,
		Problems: slices.Concat(before.Problems, after.Problems),
	}
	if err := c.print(s, d); err != nil {
		return err
	}
	return c.code(list)
}

func (c *compareCmd) print(s streams, d report.Differences) error {
	var b bytes.Buffer
	show := d.Text
	switch c.Format {
	case "json":
		show = d.JSON
	case "markdown":
		show = d.Markdown
	}
	if err := show(&b); err != nil {
		return err
	}
	return c.write(s, []document{{name: "compare." + c.Format, body: b.Bytes()}})
}

func (c *compareCmd) code(list []report.Difference) error {
	looser := slices.ContainsFunc(list, func(d report.Difference) bool { return d.Effect == report.Looser })
	if c.FailOn == "any" && len(list) > 0 || c.FailOn == "looser" && looser {
		return exitCode(exitDrift)
	}
	return nil
}
