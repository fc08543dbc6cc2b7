package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"advisor/policies/netpol/listing"
	"advisor/report"
)

// compareCmd compares two sets of declared policies.
type compareCmd struct {
	output
	Format    string   `enum:"${compare_formats}" default:"text" help:"text, json or markdown; or connections alone in the forms of the np-guard tools: txt, csv, md, dot, svg, np-guard-json."`
	Kind      []string `enum:"seccomp,netpol,caps" default:"seccomp,netpol,caps" help:"Compare only these kinds."`
	Workload  []string `short:"w" placeholder:"GLOB" help:"Only workloads of this name, Kind/name or namespace/Kind/name."`
	Engine    string   `placeholder:"NAME" offer:"engines" help:"The engine that runs the containers: ${engines}."`
	Namespace string   `short:"n" placeholder:"NAME" help:"Where manifests are applied that name no namespace themselves; default: default."`
	Dialect   string   `placeholder:"NAME" offer:"dialects" help:"The network plugin that enforces the policies: ${dialects}; default: the first."`
	All       bool     `help:"List also connections that a change of isolation explains."`
	FailOn    string   `enum:"any,looser,never" default:"any" help:"What ends with 1: any difference, looser ones, or never."`

	AllowEmpty bool `help:"Accept a side without any manifest."`

	Old string `arg:"" help:"Manifests before: a file, a directory, or '-' for stdin."`
	New string `arg:"" help:"Manifests after."`
}

// npGuardJSON is np-guard's form of JSON, beside one of advisor's own.
const npGuardJSON = "np-guard-json"

// compareFormats are advisor's own forms of a comparison, then np-guard's.
func compareFormats() []string {
	formats := []string{"text", "json", "markdown"}
	for _, f := range listing.Formats() {
		if f == "json" {
			f = npGuardJSON
		}
		formats = append(formats, f)
	}
	return formats
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
	before, err := c.load(s, c.Old)
	if err != nil {
		return err
	}
	after, err := c.load(s, c.New)
	if err != nil {
		return err
	}
	how := report.Comparison{
		Kinds: c.Kind, Workloads: c.Workload, Engine: c.Engine, Dialect: c.Dialect, AllConnections: c.All,
	}
	if slices.Index(compareFormats(), c.Format) > 2 {
		return c.connections(s, before, after, how)
	}
	list, err := report.CompareManifests(before, after, how)
	if err != nil {
		for _, p := range slices.Concat(before.Wrong(), after.Wrong()) {
			s.say("%s", p) // which is most often why
		}
		return err
	}
	d := report.Differences{
		Schema: report.CompareSchema, Old: c.Old, New: c.New, Differences: list,
		Problems: slices.Concat(before.Wrong(), after.Wrong()),
	}
	if err := c.print(s, d); err != nil {
		return err
	}
	return c.answer(before, after, list)
}

// answer is the code to end with. What is not known of one side makes none.
func (c *compareCmd) answer(before, after report.Manifests, list []report.Difference) error {
	empty := func(m report.Manifests) bool { return len(m.Declared)+len(m.Netpol)+len(m.Profiles) == 0 }
	if broken := slices.Concat(before.Refused, after.Refused); len(broken) > 0 {
		at := broken[0].Position
		return hint(fmt.Errorf("%s: this is no answer: what is declared there was not compared", at),
			"mend it first: %s", broken[0].Subject)
	}
	if empty(before) && empty(after) {
		return hint(errors.New("nothing to compare: neither side declares a container, a network policy or a seccomp profile"),
			"both sides are Kubernetes YAML or JSON, compose files, seccomp profiles, or directories of them")
	}
	return c.code(list)
}

// load reads one side. One without anything is most often a wrong path, and would
// show as a change.
func (c *compareCmd) load(s streams, path string) (report.Manifests, error) {
	m, err := report.LoadManifestsIn(c.Namespace, []string{path}, s.in)
	if err != nil {
		return m, err
	}
	if m.Empty() && len(m.Refused) == 0 && !c.AllowEmpty {
		return m, hint(fmt.Errorf("%s: no manifest in it", path), "--allow-empty accepts that")
	}
	return m, nil
}

// connections prints what changes between peers in a form of np-guard's, which
// has no words for anything else.
func (c *compareCmd) connections(s streams, before, after report.Manifests, how report.Comparison) error {
	if !slices.Contains(c.Kind, report.KindNetpol) {
		return hint(fmt.Errorf("--format %s lists connections, and --kind leaves out netpol", c.Format),
			"text, json and markdown show the other kinds")
	}
	for _, p := range slices.Concat(before.Wrong(), after.Wrong()) {
		s.say("%s", p)
	}
	if len(c.Kind) > 1 {
		s.say("%s lists connections only: seccomp profiles and capabilities are not compared", c.Format)
	}
	changes, err := report.CompareConnections(before, after, how)
	if err != nil {
		return err
	}
	format := strings.TrimPrefix(c.Format, "np-guard-")
	text, err := listing.Changes(format, changes)
	if err != nil {
		return err
	}
	if err := c.write(s, []document{{name: "changes." + format, body: text}}); err != nil {
		return err
	}
	return c.answer(before, after, report.ConnectionDifferences(changes))
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
