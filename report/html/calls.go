package html

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// callGroup is the system calls of one class of risk.
type callGroup struct {
	Name, Reason string
	Ordinary     bool
	Rows         []callRow
}

// callRow is one system call of one workload.
type callRow struct {
	ID                    string // empty where no link leads to it: scripts number the rows
	Name, Default, Reason string
	Seen                  string
	key                   string // of the fact
	index                 int    // among the rows of its workload, as shown
}

// unsorted is the class of calls whose class the page does not know.
const unsorted = "other"

// groupCalls sorts a workload's calls into the classes, worst first, by name
// within one. Empty classes are left out.
func groupCalls(id string, calls []Syscall, risks []Risk, w window) []callGroup {
	sorted := slices.Clone(calls)
	slices.SortStableFunc(sorted, func(a, b Syscall) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Phase, b.Phase))
	})
	groups := emptyGroups(risks)
	for _, c := range sorted {
		g := &groups[groupOf(groups, c.Risk)]
		g.Rows = append(g.Rows, newCallRow(c, g.Ordinary, w))
	}
	groups = slices.DeleteFunc(groups, func(g callGroup) bool { return len(g.Rows) == 0 })
	number(id, groups)
	return groups
}

// newCallRow says of an ordinary call only what is not as it always is: there
// are a hundred of them in each workload.
func newCallRow(c Syscall, ordinary bool, w window) callRow {
	r := callRow{
		Name: c.Name, Default: c.Default, Reason: c.Reason, Seen: w.seen(c.Seen), key: c.Key(),
	}
	if c.Phase != "" && c.Phase != "run" {
		r.Seen += " (" + c.Phase + ")"
	}
	if ordinary && c.Default == "allowed" && c.Reason == "" {
		r.Default = ""
	} else if c.Default == "" {
		r.Default = "unknown"
	}
	return r
}

// number gives each row its place, and an id to those that are linked to.
func number(id string, groups []callGroup) {
	n := 0
	for _, g := range groups {
		for i := range g.Rows {
			g.Rows[i].index = n
			if !g.Ordinary {
				g.Rows[i].ID = fmt.Sprintf("%ss%d", id, n)
			}
			n++
		}
	}
}

func emptyGroups(risks []Risk) []callGroup {
	var groups, ordinary []callGroup
	for _, r := range risks {
		g := callGroup{Name: r.Name, Reason: r.Reason, Ordinary: r.Ordinary}
		if r.Ordinary {
			ordinary = append(ordinary, g)
		} else {
			groups = append(groups, g)
		}
	}
	other := callGroup{Name: unsorted, Reason: "calls of no known class"}
	return append(append(groups, other), ordinary...)
}

func groupOf(groups []callGroup, name string) int {
	other := 0
	for i, g := range groups {
		switch g.Name {
		case name:
			return i
		case unsorted:
			other = i
		}
	}
	return other
}

// overviewGroup is one class of risk over all workloads.
type overviewGroup struct {
	Name, Reason string
	Rows         []overviewRow
}

// overviewRow is one call that is not ordinary, and who makes it.
type overviewRow struct {
	Name, Default, Reason string
	Users                 []link
	More                  int // users beyond those named
}

// link goes to a row or an article.
type link struct{ ID, Text string }

// maxUsers is how many workloads a row of the overview names.
const maxUsers = 8

// overview lists the calls worth a question, over all workloads, which must be
// in the page's order.
func overview(workloads []workloadView) []overviewGroup {
	var groups []overviewGroup
	for _, w := range workloads {
		for _, g := range w.Calls {
			if g.Ordinary {
				continue
			}
			at := slices.IndexFunc(groups, func(o overviewGroup) bool { return o.Name == g.Name })
			if at < 0 {
				at = len(groups)
				groups = append(groups, overviewGroup{Name: g.Name, Reason: g.Reason})
			}
			groups[at].add(w.Short, g.Rows)
		}
	}
	for i := range groups {
		slices.SortFunc(groups[i].Rows, func(a, b overviewRow) int {
			return strings.Compare(a.Name, b.Name)
		})
	}
	return groups
}

func (o *overviewGroup) add(workload string, rows []callRow) {
	for _, r := range rows {
		at := slices.IndexFunc(o.Rows, func(x overviewRow) bool { return x.Name == r.Name })
		if at < 0 {
			at = len(o.Rows)
			o.Rows = append(o.Rows, overviewRow{Name: r.Name, Default: r.Default, Reason: r.Reason})
		}
		row := &o.Rows[at]
		switch {
		case len(row.Users) == maxUsers:
			row.More++
		default:
			row.Users = append(row.Users, link{r.ID, workload})
		}
	}
}
