package netpol

// redundant says that without the policy everything stays as it is: it selects
// something, and every subject is isolated by another policy as well, and what
// its rules allow others do, too.
func (t *table) redundant(m *memo, p *Policy) bool {
	found := false
	for d := range t.subjects {
		for i := range t.subjects[d] {
			s := &t.subjects[d][i]
			if !s.isBy(p) {
				continue
			}
			found = true
			if len(s.by) < 2 || !t.covered(m, s, p) {
				return false
			}
		}
	}
	return found
}

func (s *isolation) isBy(p *Policy) bool {
	for _, by := range s.by {
		if by == p {
			return true
		}
	}
	return false
}

// covered says that the other policies' terms allow what the policy's do.
func (t *table) covered(m *memo, s *isolation, p *Policy) bool {
	covered := true
	for _, own := range s.terms {
		if own.policy != p {
			continue
		}
		own.peers.each(func(peer int) {
			others := noPorts
			for _, o := range s.terms {
				if o.policy != p && o.peers.has(peer) {
					others = m.union(others, o.ports)
				}
			}
			covered = covered && m.intersect(own.ports, others) == own.ports
		})
	}
	return covered
}
