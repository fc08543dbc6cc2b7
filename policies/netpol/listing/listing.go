// Package listing writes lists of connections, and of changes of them, in the
// formats of the np-guard tools, so that results can be held side by side:
//
//	txt   "src => dst : TCP 80", and "diff-type: added, source: …" for changes
//	csv   src,dst,conn and diff-type,source,destination,dir1,dir2,workloads-diff-info
//	md    the same columns as a table
//	json  the same columns as a list of objects
//	dot   a graph for graphviz, with a frame for each namespace
//	svg   the same as a picture, sources on the left and destinations on the right
//
// What those tools have no word for is told in their columns: a workload whose
// isolation changed is a line with the diff-type "isolated" or "not isolated",
// the workload as source and no destination.
package listing

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"

	"advisor/policies/netpol"
)

// Formats are the names of the formats, the default first.
func Formats() []string { return []string{"txt", "csv", "md", "json", "dot", "svg"} }

// Connections writes what policies allow. It errs on an unknown format only.
func Connections(format string, list []netpol.Allowance) ([]byte, error) {
	rows := make([][]string, len(list))
	var lines strings.Builder
	g := graph{plain: true}
	for i, a := range list {
		rows[i] = []string{a.Source.String(), a.Destination.String(), a.Ports.String()}
		fmt.Fprintf(&lines, "%s => %s : %s\n", a.Source, a.Destination, a.Ports)
		g.add(a.Source, a.Destination, edge{label: a.Ports.String(), colour: "gold2", font: "darkgreen"})
	}
	return write(format, lines.String(), []string{"src", "dst", "conn"}, rows, &g)
}

// Changes writes the differences between two sets of policies, headlines first.
func Changes(format string, list []netpol.Change) ([]byte, error) {
	columns := []string{"diff-type", "source", "destination", "dir1", "dir2", "workloads-diff-info"}
	rows := make([][]string, len(list))
	lines := &strings.Builder{}
	if len(list) > 0 {
		lines.WriteString("Connectivity diff:\n")
	}
	var g graph
	for i, c := range list {
		rows[i] = changeRow(c)
		changeLine(lines, rows[i], c)
		if c.Direction != "" {
			g.mark(c.Source, c.Kind)
			continue
		}
		g.add(c.Source, c.Destination, changeEdge(c))
	}
	return write(format, lines.String(), columns, rows, &g)
}

// changeRow is a change in the columns of np-guard's csv.
func changeRow(c netpol.Change) []string {
	if c.Direction == "" {
		return []string{string(c.Kind), c.Source.String(), c.Destination.String(),
			c.Before.String(), c.After.String(), c.Info}
	}
	before, after, verb := netpol.NotIsolated, netpol.Isolated, "removed"
	if c.Kind == netpol.NotIsolated {
		before, after, verb = after, before, "added"
	}
	direction := strings.ToLower(string(c.Direction))
	return []string{string(c.Kind), c.Source.String(), "", string(before), string(after),
		fmt.Sprintf("%s: %d connections %s by this alone", direction, c.Pairs, verb)}
}

func changeLine(b *strings.Builder, row []string, c netpol.Change) {
	if c.Direction != "" {
		fmt.Fprintf(b, "diff-type: %s, workload: %s, %s\n", row[0], row[1], row[5])
		return
	}
	fmt.Fprintf(b, "diff-type: %s, source: %s, destination: %s, dir1: %s, dir2: %s",
		row[0], row[1], row[2], row[3], row[4])
	if c.Info != "" {
		fmt.Fprintf(b, ", workloads-diff-info: %s", c.Info)
	}
	b.WriteByte('\n')
}

func write(format, lines string, columns []string, rows [][]string, g *graph) ([]byte, error) {
	switch format {
	case "", "txt":
		return []byte(lines), nil
	case "csv":
		return writeCSV(columns, rows)
	case "md":
		return writeMarkdown(columns, rows), nil
	case "json":
		return writeJSON(columns, rows)
	case "dot":
		return g.dot(), nil
	case "svg":
		return g.svg(), nil
	}
	return nil, fmt.Errorf("format %q is none of %s", format, strings.Join(Formats(), ", "))
}

func writeCSV(columns []string, rows [][]string) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	if err := w.WriteAll(append([][]string{columns}, rows...)); err != nil {
		return nil, fmt.Errorf("writing csv: %w", err)
	}
	return out.Bytes(), nil
}

func writeMarkdown(columns []string, rows [][]string) []byte {
	var out bytes.Buffer
	writeCells(&out, columns)
	rule := make([]string, len(columns))
	for i, c := range columns {
		rule[i] = strings.Repeat("-", len(c))
	}
	writeCells(&out, rule)
	for _, row := range rows {
		writeCells(&out, row)
	}
	return out.Bytes()
}

func writeCells(out *bytes.Buffer, cells []string) {
	for _, c := range cells {
		out.WriteString("| " + strings.ReplaceAll(c, "|", "\\|") + " ")
	}
	out.WriteString("|\n")
}

// writeJSON keeps the order of the columns, which a map would not.
func writeJSON(columns []string, rows [][]string) ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('[')
	for i, row := range rows {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString("\n  {")
		for j, cell := range row {
			if j > 0 {
				out.WriteByte(',')
			}
			value, err := json.Marshal(cell)
			if err != nil {
				return nil, fmt.Errorf("writing json: %w", err)
			}
			fmt.Fprintf(&out, "\n    %q: %s", columns[j], value)
		}
		out.WriteString("\n  }")
	}
	if len(rows) > 0 {
		out.WriteByte('\n')
	}
	out.WriteString("]\n")
	return out.Bytes(), nil
}
