package html

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

func capRows(id string, caps []Capability, at window) []capRow {
	sorted := slices.Clone(caps)
	slices.SortStableFunc(sorted, func(a, b Capability) int {
		return cmp.Or(cmp.Compare(needRank(a.Need), needRank(b.Need)), strings.Compare(a.Name, b.Name))
	})
	rows := make([]capRow, len(sorted))
	for i, c := range sorted {
		rows[i] = capRow{
			ID: fmt.Sprintf("%sc%d", id, i), Name: c.Name, Class: needStyle(c.Need), Sign: needSign(c.Need),
			Word: needWord(c.Need), Reason: c.Reason, Seen: at.seen(c.Seen), need: c.Need,
			Verified: c.Verified, Failed: c.Failed,
		}
	}
	return rows
}

func needRank(n Need) int {
	return slices.Index([]Need{NotGranted, Unused, Needed, Undecided, Incidental}, n)
}

// needStyle is a need as the style sheet calls it.
func needStyle(n Need) string {
	switch n {
	case Needed:
		return "ok need-needed"
	case Incidental:
		return "none need-incidental"
	}
	return className(needClass(n))
}

// capMatrix is every capability that matters to any workload, against all of
// them.
type capMatrix struct {
	Columns []string
	Rows    []capMatrixRow
	Legend  []legend
}

type capMatrixRow struct {
	Workload link
	Cells    []capRow // without ID where the capability is nothing to it
}

// newCapMatrix is nil where no workload has a capability to tell of.
func newCapMatrix(workloads []workloadView) *capMatrix {
	m := &capMatrix{}
	count := make(map[Need]int)
	for _, w := range workloads {
		for _, c := range w.Caps {
			m.Columns = append(m.Columns, c.Name)
			count[c.need]++
		}
	}
	if len(m.Columns) == 0 {
		return nil
	}
	slices.Sort(m.Columns)
	m.Columns = slices.Compact(m.Columns)
	for _, w := range workloads {
		if w.other && len(w.Caps) == 0 {
			continue
		}
		row := capMatrixRow{link{w.ID, w.Short}, make([]capRow, len(m.Columns))}
		for _, c := range w.Caps {
			at, _ := slices.BinarySearch(m.Columns, c.Name)
			row.Cells[at] = c
		}
		m.Rows = append(m.Rows, row)
	}
	for _, n := range []Need{Needed, Unused, NotGranted, Incidental, Undecided} {
		if n != Undecided || count[n] > 0 {
			m.Legend = append(m.Legend, legend{needStyle(n), needWord(n), count[n]})
		}
	}
	return m
}
