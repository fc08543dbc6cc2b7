package listing

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"advisor/policies/netpol"
)

// graph is peers and what leads from one to another.
type graph struct {
	plain bool // a list of connections, not of changes
	edges []edge
	marks map[string]netpol.ChangeKind // of workloads whose isolation changed
	peers map[string]netpol.Peer
}

// edge is one line of the graph. The colours are those of np-guard's graphs.
type edge struct {
	from, to            netpol.Peer
	label, colour, font string
}

func (g *graph) add(from, to netpol.Peer, e edge) {
	e.from, e.to = from, to
	g.edges = append(g.edges, e)
	g.know(from)
	g.know(to)
}

func (g *graph) know(p netpol.Peer) {
	if g.peers == nil {
		g.peers = make(map[string]netpol.Peer)
	}
	g.peers[p.String()] = p
}

// mark highlights a workload.
func (g *graph) mark(p netpol.Peer, kind netpol.ChangeKind) {
	g.know(p)
	if g.marks == nil {
		g.marks = make(map[string]netpol.ChangeKind)
	}
	g.marks[p.String()] = kind
}

// changeEdge colours a change: green for new, red for gone, magenta for both.
func changeEdge(c netpol.Change) edge {
	switch c.Kind {
	case netpol.Added:
		return edge{label: c.After.String(), colour: "#008000", font: "#008000"}
	case netpol.Removed:
		return edge{label: c.Before.String(), colour: "red2", font: "red2"}
	}
	return edge{label: fmt.Sprintf("%s (dir1: %s)", c.After, c.Before),
		colour: "magenta", font: "magenta"}
}

// dot writes the graph for graphviz.
func (g *graph) dot() []byte {
	var out bytes.Buffer
	out.WriteString("digraph {\n")
	frames := make(map[string][]netpol.Peer)
	for _, p := range g.sorted() {
		frames[namespace(p)] = append(frames[namespace(p)], p)
	}
	for _, ns := range slices.Sorted(maps.Keys(frames)) {
		indent := "\t"
		if ns != "" {
			fmt.Fprintf(&out, "\tsubgraph %s {\n", quote("cluster_"+ns))
			indent = "\t\t"
		}
		for _, p := range frames[ns] {
			colour := g.colour(p)
			fmt.Fprintf(&out, "%s%s [label=%s color=%q fontcolor=%q]\n", indent,
				quote(p.String()), quote(g.nodeLabel(p)), colour, colour)
		}
		if ns != "" {
			fmt.Fprintf(&out, "\t\tlabel=%s\n\t}\n", quote(ns))
		}
	}
	for _, e := range g.edges {
		fmt.Fprintf(&out, "\t%s -> %s [label=%s color=%q fontcolor=%q]\n", quote(e.from.String()),
			quote(e.to.String()), quote(e.label), e.colour, e.font)
	}
	out.WriteString("}\n")
	return out.Bytes()
}

// quote makes an identifier of the dot language: only quotes need a backslash.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

func (g *graph) sorted() []netpol.Peer {
	return slices.SortedFunc(maps.Values(g.peers), netpol.Peer.Compare)
}

// namespace is the frame that a peer stands in, "" for none.
func namespace(p netpol.Peer) string {
	if p.IsAddress() || p.Symbolic != "" {
		return ""
	}
	return cmp.Or(p.Workload.Namespace, "default")
}

func (g *graph) nodeLabel(p netpol.Peer) string {
	if kind := g.marks[p.String()]; kind != "" {
		return p.Name() + " (now " + string(kind) + ")"
	}
	return p.Name()
}

func (g *graph) colour(p netpol.Peer) string {
	if g.plain && namespace(p) == "" {
		return "red2"
	}
	return "blue"
}
