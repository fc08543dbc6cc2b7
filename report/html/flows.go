package html

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
)

// flowRow is one line of the table of flows.
type flowRow struct {
	ID, Class, Sign, Word string
	From, To, Service     string
	Reason, Seen          string
	flow                  Flow
}

// flowRows sorts the flows worst first.
func flowRows(flows []Flow, compared bool, w window) []flowRow {
	sorted := slices.Clone(flows)
	slices.SortStableFunc(sorted, compareFlows)
	rows := make([]flowRow, len(sorted))
	for i, f := range sorted {
		rows[i] = flowRow{
			ID: fmt.Sprintf("f%d", i), Class: className(f.Class), Sign: sign(f.Class),
			Word: flowWord(f.Class, compared),
			From: f.From.String(), To: f.To.String(), Service: f.Service(),
			Reason: f.Reason, Seen: w.seen(f.Seen), flow: f,
		}
	}
	return rows
}

func compareFlows(a, b Flow) int {
	return cmp.Or(
		cmp.Compare(rank(a.Class), rank(b.Class)),
		comparePeers(a.From, b.From), comparePeers(a.To, b.To),
		strings.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Port, b.Port),
		strings.Compare(a.Reason, b.Reason), strings.Compare(fmt.Sprint(a.Seen), fmt.Sprint(b.Seen)),
	)
}

// comparePeers puts what is outside the cluster last.
func comparePeers(a, b Peer) int {
	if outside := (a.Namespace == ""); outside != (b.Namespace == "") {
		if outside {
			return 1
		}
		return -1
	}
	return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
}

// graph is what the scripts draw, in the page's data block.
type graph struct {
	Nodes []node `json:"nodes"`
	Edges []edge `json:"edges"`
}

type node struct {
	ID        string `json:"id"`
	Namespace string `json:"ns,omitempty"`
	Name      string `json:"name"`
	Workload  string `json:"w,omitempty"` // id of its article
}

// edge stands for all flows of one class between two peers.
type edge struct {
	Source string   `json:"s"`
	Target string   `json:"t"`
	Class  string   `json:"c"`
	Label  string   `json:"l"` // the services, or how many
	Flows  []string `json:"f"` // ids of their rows
}

// maxEdges is the most that a person can follow. Beyond it the graph begins
// with a node for each namespace, and the page has a matrix.
const maxEdges = 60

// peers lists the ends of all flows, by namespace.
func peers(rows []flowRow) []Peer {
	var all []Peer
	for _, r := range rows {
		all = append(all, r.flow.From, r.flow.To)
	}
	slices.SortFunc(all, comparePeers)
	return slices.Compact(all)
}

// newGraph merges flows between the same two peers. articles maps a workload's
// namespace/name to the id of its article.
func newGraph(rows []flowRow, articles map[string]string) graph {
	g := graph{Nodes: []node{}, Edges: []edge{}}
	ids := make(map[Peer]string)
	for i, p := range peers(rows) {
		ids[p] = fmt.Sprintf("n%d", i)
		g.Nodes = append(g.Nodes, node{ids[p], p.Namespace, p.Name, articles[p.String()]})
	}
	at := make(map[[3]string]int)
	for _, r := range rows {
		key := [3]string{ids[r.flow.From], ids[r.flow.To], r.Class}
		i, ok := at[key]
		if !ok {
			i = len(g.Edges)
			at[key] = i
			g.Edges = append(g.Edges, edge{Source: key[0], Target: key[1], Class: r.Class, Label: r.Service})
		}
		e := &g.Edges[i]
		e.Flows = append(e.Flows, r.ID)
		if n := len(e.Flows); n == 2 {
			e.Label += ", " + r.Service
		} else if n > 2 {
			e.Label = fmt.Sprintf("%d flows", n)
		}
	}
	return g
}

// matrix is who talks to whom as a table, for graphs too dense to draw.
type matrix struct {
	Level   string // workload or namespace
	Columns []string
	Rows    []matrixRow
}

type matrixRow struct {
	Name  string
	Cells []matrixCell
}

type matrixCell struct {
	Class, Sign, Title string
	N                  int // flows; 0 is an empty cell
}

// maxMatrix is the most rows that one matrix has.
const maxMatrix = 80

func newMatrix(rows []flowRow) *matrix {
	m := fillMatrix("workload", rows, Peer.String)
	if len(m.Rows) > maxMatrix {
		m = fillMatrix("namespace", rows, group)
	}
	return m
}

// group is the namespace that a peer is drawn in.
func group(p Peer) string {
	if p.Namespace == "" {
		return "outside"
	}
	return p.Namespace
}

func fillMatrix(level string, rows []flowRow, name func(Peer) string) *matrix {
	m := &matrix{Level: level}
	var senders []string
	from, to := make(map[string]int), make(map[string]int)
	for _, p := range peers(rows) {
		n := name(p)
		for _, r := range rows {
			add(&senders, from, n, name(r.flow.From))
			add(&m.Columns, to, n, name(r.flow.To))
		}
	}
	for _, n := range senders {
		m.Rows = append(m.Rows, matrixRow{Name: n, Cells: make([]matrixCell, len(m.Columns))})
	}
	// Rows come worst first, so the first flow of a cell decides its class.
	for _, r := range rows {
		source, target := name(r.flow.From), name(r.flow.To)
		c := &m.Rows[from[source]].Cells[to[target]]
		if c.N == 0 {
			c.Class, c.Sign = r.Class, r.Sign
			c.Title = source + " → " + target + ": " + r.Word
		}
		c.N++
	}
	return m
}

// add gives a name the next place in a list, once, if it is the one wanted.
func add(list *[]string, at map[string]int, want, name string) {
	if _, known := at[name]; known || name != want {
		return
	}
	at[name] = len(*list)
	*list = append(*list, name)
}

// className is a class as the style sheet calls it.
func className(c policies.Class) string {
	if c == "" {
		return "ok"
	}
	return string(c)
}
