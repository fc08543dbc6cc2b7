package netpol

import (
	"sync"

	"advisor/policies/netpol/portset"

	networkingv1 "k8s.io/api/networking/v1"
)

// peersOf is the set of entities that a rule's peers match; all for no peers.
// The result is shared and must not be changed.
func (t *table) peersOf(r rule) bitset {
	if len(r.peers) == 0 {
		return t.everything()
	}
	if len(r.peers) == 1 {
		return t.peerSet(r, r.peers[0])
	}
	key := string(r.direction) // tells the addresses of sources and destinations apart
	for _, p := range r.peers {
		key += t.peerKey(r.policy, p) + "\x00"
	}
	if set, known := t.peerSets[key]; known {
		return set
	}
	set := newBitset(len(t.entities))
	for _, p := range r.peers {
		set.or(t.peerSet(r, p))
	}
	t.peerSets[key] = set
	return set
}

func (t *table) everything() bitset {
	if set, known := t.peerSets[""]; known {
		return set
	}
	set := newBitset(len(t.entities))
	for i := range t.entities {
		set.add(i)
	}
	t.peerSets[""] = set
	return set
}

// peerKey tells peers apart that may match different entities.
func (t *table) peerKey(p *Policy, peer networkingv1.NetworkPolicyPeer) string {
	if peer.IPBlock != nil || peer.NamespaceSelector != nil {
		return peerText(peer)
	}
	return namespaceOf(p.Namespace) + peerText(peer)
}

func (t *table) peerSet(r rule, peer networkingv1.NetworkPolicyPeer) bitset {
	if peer.IPBlock != nil {
		return t.blocks[indexOf(r.direction)][blockText(peer.IPBlock)]
	}
	key := t.peerKey(r.policy, peer)
	if set, known := t.peerSets[key]; known {
		return set
	}
	set := newBitset(len(t.entities))
	namespace := ""
	if peer.NamespaceSelector == nil {
		namespace = namespaceOf(r.policy.Namespace)
	}
	t.pods.selected(namespace, peer.PodSelector, func(i int) bool {
		s := t.entities[i].sides[t.set]
		inHost := s.pod.HostNetwork && !outside(s.pod)
		if !inHost && (peer.NamespaceSelector == nil || t.namespaceMatches(peer, s)) {
			set.add(i)
		}
		return true
	})
	t.peerSets[key] = set
	return set
}

func (t *table) namespaceMatches(peer networkingv1.NetworkPolicyPeer, s side) bool {
	key := [2]string{selectorText(peer.NamespaceSelector), s.pod.Namespace}
	result, known := t.nsTruth[key]
	if !known {
		result = matchSelector(peer.NamespaceSelector, s.namespace)
		t.nsTruth[key] = result
	}
	return result == yes
}

// portTable numbers sets of ports, so that they compare and combine as
// numbers. It is safe for concurrent use.
type portTable struct {
	mu   sync.Mutex
	ids  map[string]int32
	sets []portset.Set
}

// The numbers of the two sets that every table has.
const (
	noPorts  int32 = 0
	allPorts int32 = 1
)

func newPortTable() *portTable {
	p := &portTable{ids: make(map[string]int32)}
	p.id(portset.Set{})
	p.id(portset.All())
	return p
}

func (p *portTable) id(s portset.Set) int32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := s.String()
	id, known := p.ids[key]
	if !known {
		id = int32(len(p.sets))
		p.ids[key] = id
		p.sets = append(p.sets, s)
	}
	return id
}

func (p *portTable) set(id int32) portset.Set {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sets[id]
}

// memo remembers unions and intersections; each worker has its own.
type memo struct {
	*portTable
	unions, intersections map[[2]int32]int32
}

func (p *portTable) memo() *memo {
	return &memo{p, make(map[[2]int32]int32), make(map[[2]int32]int32)}
}

func (m *memo) union(a, b int32) int32 {
	switch {
	case a == b || b == noPorts || a == allPorts:
		return a
	case a == noPorts || b == allPorts:
		return b
	}
	key := [2]int32{min(a, b), max(a, b)}
	id, known := m.unions[key]
	if !known {
		id = m.id(m.set(a).Union(m.set(b)))
		m.unions[key] = id
	}
	return id
}

func (m *memo) intersect(a, b int32) int32 {
	switch {
	case a == b || b == allPorts || a == noPorts:
		return a
	case a == allPorts || b == noPorts:
		return b
	}
	key := [2]int32{min(a, b), max(a, b)}
	id, known := m.intersections[key]
	if !known {
		id = m.id(m.set(a).Intersect(m.set(b)))
		m.intersections[key] = id
	}
	return id
}
