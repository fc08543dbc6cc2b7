package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"advisor/policies"
	"advisor/policies/caps"
	"advisor/policies/netpol"
	"advisor/report"
	"advisor/trace"
)

// reportCmd makes policies out of traces.
type reportCmd struct {
	Seccomp reportSeccompCmd `cmd:"" help:"Make seccomp profiles."`
	Netpol  reportNetpolCmd  `cmd:"" help:"Make network policies."`
	Caps    reportCapsCmd    `cmd:"" help:"Make capability lists."`
	All     reportAllCmd     `cmd:"" help:"Make policies of all kinds."`
}

// reporting is what all kinds of policy share.
type reporting struct {
	traces
	output
	Workload   []string `short:"w" placeholder:"GLOB" help:"Only workloads of this name, Kind/name or namespace/Kind/name."`
	Evidence   bool     `help:"Say on stderr, for each line of a policy, who did it and when."`
	Strict     bool     `help:"Fail where the evidence is not complete."`
	AllowEmpty bool     `help:"Accept traces in which nothing was recorded."`

	whole    string          // the format of one report to print in place of the policies
	declared []caps.Declared // whose pods stand in the Pod Security Standards
}

type reportSeccompCmd struct {
	reporting
	Format string `placeholder:"FORMAT" offer:"seccomp formats" help:"One of ${seccomp_formats}; default: the first."`
	seccompFlags
}

// Run prints seccomp profiles.
func (c *reportSeccompCmd) Run(s streams) error {
	opt, err := c.options()
	if err != nil {
		return err
	}
	return c.run(s, report.Request{
		Kinds: []string{report.KindSeccomp}, Format: c.Format, Seccomp: opt,
	})
}

type reportNetpolCmd struct {
	reporting
	Format string `placeholder:"FORMAT" offer:"netpol formats" help:"One of ${netpol_formats}; default: the first."`
	clusterFlags
	netpolFlags
}

// Run prints network policies.
func (c *reportNetpolCmd) Run(s streams) error {
	m, err := c.load(s)
	if err != nil {
		return err
	}
	return c.run(s, report.Request{
		Kinds: []string{report.KindNetpol}, Format: c.Format, Netpol: c.options(), Objects: m.Objects,
	})
}

type reportCapsCmd struct {
	reporting
	Format string `placeholder:"FORMAT" offer:"caps formats" help:"One of ${caps_formats}; default: the first."`
	clusterFlags
	capsFlags
}

// Run prints capability lists.
func (c *reportCapsCmd) Run(s streams) error {
	m, err := c.load(s)
	if err != nil {
		return err
	}
	c.declared = m.Declared
	req, err := c.request(report.Request{Kinds: []string{report.KindCaps}, Format: c.Format, Objects: m.Objects})
	if err != nil {
		return err
	}
	return c.run(s, req)
}

type reportAllCmd struct {
	reporting
	Format string `enum:",text,markdown,json,html" default:"" placeholder:"FORMAT" help:"text, markdown, json or html: one report instead of the policies themselves."`
	clusterFlags
	seccompFlags
	netpolFlags
	capsFlags
}

// Run prints policies of all kinds.
func (c *reportAllCmd) Run(s streams) error {
	opt, err := c.seccompFlags.options()
	if err != nil {
		return err
	}
	m, err := c.load(s)
	if err != nil {
		return err
	}
	c.whole, c.declared = c.Format, m.Declared
	req, err := c.request(report.Request{
		Kinds: report.Kinds(), Seccomp: opt, Netpol: c.netpolFlags.options(), Objects: m.Objects,
	})
	if err != nil {
		return err
	}
	return c.run(s, req)
}

// run reads the traces, makes the policies and writes them: all, or none where
// one of them does not hold.
func (r reporting) run(s streams, req report.Request) error {
	if err := errors.Join(r.check(), r.spares(r.names())); err != nil {
		return err
	}
	seen, err := r.observe(s)
	if err != nil {
		return err
	}
	req.Workloads = r.Workload
	made, err := report.Policies(seen.Observations, req)
	if errors.Is(err, report.ErrSeveral) {
		return hint(err, "-w NAME picks one")
	}
	var unproven *report.UnprovenError
	if errors.As(err, &unproven) {
		return hint(err, "this is a mistake in advisor: please report it, with the trace if you can")
	}
	var dialect *netpol.DialectError
	if errors.As(err, &dialect) {
		return hint(err, "--format cilium writes policies in which entities stand for nodes; where Cilium runs with "+
			"policyCIDRMatchMode: nodes, --dialect cilium-nodes is right")
	}
	if err := errors.Join(err, r.doubt(made)); err != nil && (r.Strict || len(made) == 0) {
		return err
	}
	if len(made) == 0 && len(seen.Observations) > 0 {
		return errors.New("nothing was recorded that a policy of this kind could be made of")
	}
	pods, failed := report.PodSecurity(seen.Observations, r.declared, req)
	if err = errors.Join(err, failed); r.whole != "" {
		return errors.Join(err, r.writeWhole(s, seen, made, pods))
	}
	if err := r.write(s, made); err != nil {
		return err
	}
	return errors.Join(err, r.tell(s, report.WithoutStanding(made, pods)), tellStandings(s, pods))
}

// tellStandings says on stderr where pods stand in the Pod Security Standards.
func tellStandings(s streams, pods []caps.Standing) error {
	for _, st := range pods {
		var b bytes.Buffer
		if err := report.StandingText(&b, st); err != nil {
			return err
		}
		s.say("%s", b.String())
	}
	return nil
}

// writeWhole prints what was recorded and made as one report.
func (r reporting) writeWhole(s streams, seen report.Observed, made []report.Policy, pods []caps.Standing) error {
	rep := report.Recorded(version(), seen, made, pods)
	var b bytes.Buffer
	if err := rep.Render(&b, r.whole, report.Style{Color: r.toStdout() && colored("auto", s)}); err != nil {
		return err
	}
	return r.output.write(s, []document{{name: "report." + r.whole, body: b.Bytes()}})
}

// observe reads the traces and says what of them could not be read.
func (r reporting) observe(s streams) (report.Observed, error) {
	seen, err := report.Observe(r.names(), s.in)
	if err != nil {
		return report.Observed{}, traceHint(err)
	}
	for _, bad := range seen.Bad {
		s.say("%v", bad)
	}
	if len(seen.Observations) == 0 && !r.AllowEmpty {
		return report.Observed{}, hint(
			fmt.Errorf("%s: no container in it", strings.Join(r.names(), ", ")),
			"the recording saw none start or run; --allow-empty accepts that")
	}
	return seen, nil
}

// doubt refuses policies that rest on incomplete evidence, where the user
// wants none.
func (r reporting) doubt(made []report.Policy) error {
	if !r.Strict {
		return nil
	}
	for _, p := range made {
		if p.Evidence.Complete != trace.CompleteTrue {
			return fmt.Errorf("--strict: the evidence of %s is not complete: %s",
				p.Workload, strings.Join(report.Doubts(p.Evidence), "; "))
		}
	}
	return nil
}

// write puts the policies where they belong. Several that do not make one
// readable text need a directory.
func (r reporting) write(s streams, made []report.Policy) error {
	if len(made) > 1 && (r.toStdout() || !r.isDir()) && !readable(made) {
		return severalError(made)
	}
	return r.output.write(s, documents(made))
}

// readable says that the policies make one text with a parser for it. JSON is
// YAML, so of several kinds they always make a stream of YAML documents.
func readable(made []report.Policy) bool {
	for _, p := range made {
		if p.Kind != made[0].Kind {
			return true
		}
	}
	format, err := report.FormatOf(made[0].Kind, made[0].Format)
	return err == nil && format.Stream
}

func severalError(made []report.Policy) error {
	var names []policies.Observation
	for _, p := range made {
		names = append(names, policies.Observation{Workload: p.Workload})
	}
	return hint(fmt.Errorf("several policies do not fit into one %s document:\n%s",
		made[0].Format, report.WorkloadList(names)),
		"-o DIR/ writes a file for each; --workload NAME picks one")
}

// documents are the policies as files. In a stream each is introduced by what
// it is for.
func documents(made []report.Policy) []document {
	var docs []document
	for _, p := range made {
		docs = append(docs, document{name: p.File, title: p.Kind + " of " + p.Workload.String(), body: []byte(p.Text)})
	}
	return docs
}

// tell says on stderr what the policies rest on.
func (r reporting) tell(s streams, made []report.Policy) error {
	for _, p := range made {
		var b bytes.Buffer
		if err := p.SummaryText(&b); err != nil {
			return err
		}
		if r.Evidence {
			if err := p.EvidenceText(&b); err != nil {
				return err
			}
		}
		s.say("%s", b.String())
	}
	return nil
}
