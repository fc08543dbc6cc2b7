package netpol

// admission is the ingress side of a table, turned round: for each source the
// rules that admit it, so that a row costs what its source is admitted to and
// not what every destination's rules say.
type admission struct {
	start  []int32   // by destination: what is allowed to begin with
	groups [][]door  // by set of peers: what is open to all in it
	open   [][]int32 // by source: the groups that it is in
}

// door is ports of a destination.
type door struct{ destination, ports int32 }

func (w *walker) newAdmission(set int) *admission {
	t := w.tables[set]
	a := &admission{start: make([]int32, len(w.entities)), open: make([][]int32, len(w.entities))}
	groups := make(map[*uint64]int32) // sets of peers are shared between terms
	for d := range a.start {
		a.start[d] = allPorts
		if !w.present(set, d) {
			a.start[d] = noPorts
			continue
		}
		if d >= w.first || !t.subjects[ingressIndex][d].isolated {
			continue
		}
		a.start[d] = noPorts
		for _, term := range t.subjects[ingressIndex][d].terms {
			key := &term.peers[0]
			group, known := groups[key]
			if !known {
				group = int32(len(a.groups))
				groups[key] = group
				a.groups = append(a.groups, nil)
				term.peers.each(func(source int) { a.open[source] = append(a.open[source], group) })
			}
			a.groups[group] = append(a.groups[group], door{int32(d), term.ports})
		}
	}
	return a
}

// fill computes what ingress of each destination allows from the source.
func (a *admission) fill(m *memo, ingress []int32, source int) {
	copy(ingress, a.start)
	for _, group := range a.open[source] {
		for _, d := range a.groups[group] {
			ingress[d.destination] = m.union(ingress[d.destination], d.ports)
		}
	}
}
