package main

import (
	"errors"
	"fmt"
	"strings"

	"advisor/policies/netpol"
	"advisor/policies/netpol/listing"
	"advisor/report"
)

// netpolCmd asks what declared network policies mean.
type netpolCmd struct {
	Connections netpolConnectionsCmd `cmd:"" help:"List what network policies allow."`
	Explain     netpolExplainCmd     `cmd:"" help:"Say whether one connection is allowed, and by which rule."`
	Compare     netpolCompareCmd     `cmd:"" help:"Compare what two sets of network policies allow, in the forms of the np-guard tools."`
}

// cluster is manifests with the policies to be asked about.
type cluster struct {
	Manifests []string `short:"m" required:"" placeholder:"PATH" help:"Manifests: files, directories, or '-' for stdin."`
	Namespace string   `short:"n" placeholder:"NAME" help:"Where manifests are applied that name no namespace themselves; default: default."`
	Dialect   string   `placeholder:"NAME" offer:"dialects" help:"The network plugin that enforces the policies: ${dialects}; default: the first."`
}

// load reads the manifests. A policy that cannot be read would change every
// answer, so it is an error.
func (c cluster) load(s streams) (netpol.Set, netpol.Dialect, error) {
	dialect, ok := netpol.DialectOf(c.Dialect)
	if !ok {
		return netpol.Set{}, dialect, unknownDialect(c.Dialect)
	}
	set, err := loadSet(s, c.Namespace, c.Manifests)
	return set, dialect, err
}

func unknownDialect(name string) error {
	return hint(fmt.Errorf("no network plugin %q is known", name), "known are %s", strings.Join(dialectNames(), ", "))
}

func loadSet(s streams, namespace string, manifests []string) (netpol.Set, error) {
	m, err := report.LoadManifestsIn(namespace, manifests, s.in)
	if err = errors.Join(err, m.Unusable(report.KindNetpol)); err != nil {
		return netpol.Set{}, err
	}
	for _, p := range m.Wrong() {
		s.say("%s", p)
	}
	inv, errs := netpol.NewInventory(m.Objects, nil)
	for _, err := range errs {
		s.say("%v", err)
	}
	if len(inv.Owners) == 0 {
		return netpol.Set{}, errors.New("no workload in the manifests: there is nobody to connect")
	}
	return netpol.Set{Policies: m.Netpol, Inventory: inv}, nil
}

type netpolConnectionsCmd struct {
	output
	cluster
	Format   string `enum:"txt,csv,md,json,dot,svg" default:"txt" help:"txt, csv, md, json, dot or svg, as the np-guard tools write them."`
	Exposure bool   `help:"Also what is allowed with pods that are not in the manifests."`
}

// Run lists what is allowed between all workloads and all addresses.
func (c *netpolConnectionsCmd) Run(s streams) error {
	if err := c.check(); err != nil {
		return err
	}
	set, dialect, err := c.load(s)
	if err != nil {
		return err
	}
	text, err := listing.Connections(c.Format, netpol.Connections(set,
		netpol.ConnectionsOptions{Dialect: dialect, Exposure: c.Exposure}))
	if err != nil {
		return err
	}
	return c.write(s, []document{{name: "connections." + c.Format, body: text}})
}

type netpolExplainCmd struct {
	cluster
	Source      string `arg:"" help:"An address, or a workload as namespace/name."`
	Destination string `arg:"" help:"The same; also a Service, with its own port."`
	Port        string `arg:"" help:"A port as 80 or 53/udp."`
}

// Run explains the verdict. It ends with 0 where the connection is allowed,
// with 1 where it is denied or where that cannot be known.
func (c *netpolExplainCmd) Run(s streams) error {
	set, dialect, err := c.load(s)
	if err != nil {
		return err
	}
	explanation, err := netpol.Explain(set, c.Source, c.Destination, c.Port, dialect)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprint(s.out, explanation); err != nil {
		return err
	}
	for _, x := range explanation.Cases {
		if x.Verdict.Outcome != netpol.Allowed {
			return exitCode(exitDrift)
		}
	}
	return nil
}

type netpolCompareCmd struct {
	output
	Dialect   string `placeholder:"NAME" offer:"dialects" help:"The network plugin that enforces the policies: ${dialects}; default: the first."`
	Format    string `enum:"txt,csv,md,json,dot,svg" default:"txt" help:"txt, csv, md, json, dot or svg, as the np-guard tools write them."`
	All       bool   `help:"List also what a change of isolation explains."`
	Namespace string `short:"n" placeholder:"NAME" help:"Where manifests are applied that name no namespace themselves; default: default."`
	Old       string `arg:"" help:"Manifests before: a file, a directory, or '-' for stdin."`
	New       string `arg:"" help:"Manifests after."`
}

// Run lists the connections that only one side allows. It ends with 0 where
// both allow the same, else with 1.
func (c *netpolCompareCmd) Run(s streams) error {
	dialect, ok := netpol.DialectOf(c.Dialect)
	if !ok {
		return unknownDialect(c.Dialect)
	}
	if err := c.check(); err != nil {
		return err
	}
	before, err := loadSet(s, c.Namespace, []string{c.Old})
	if err != nil {
		return err
	}
	after, err := loadSet(s, c.Namespace, []string{c.New})
	if err != nil {
		return err
	}
	changes := netpol.Compare(before, after, netpol.CompareOptions{Dialect: dialect, All: c.All})
	text, err := listing.Changes(c.Format, changes)
	if err != nil {
		return err
	}
	if err := c.write(s, []document{{name: "changes." + c.Format, body: text}}); err != nil {
		return err
	}
	if len(changes) > 0 {
		return exitCode(exitDrift)
	}
	return nil
}
