package netpol

import (
	"slices"

	"advisor/policies/netpol/portset"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// table is one set of policies compiled for a universe: for each entity of
// pods and each direction, what its rules allow, as sets of peers with ports.
// A selector is evaluated once, over the entities that share one of its labels.
type table struct {
	*universe
	set      int
	ports    *portTable
	subjects [2][]isolation // by direction and entity
	pods     *labelIndex
	peerSets map[string]bitset
	nsTruth  map[[2]string]truth
	blocks   [2]map[string]bitset // by direction and text
}

// isolation is what policies do to one entity in one direction.
type isolation struct {
	isolated bool
	by       []*Policy
	terms    []term
}

// term is peers that may use ports.
type term struct {
	peers  bitset
	ports  int32 // in the portTable
	policy *Policy
}

// What is there for each direction is indexed by these.
const (
	ingressIndex = iota
	egressIndex
)

func indexOf(d Direction) int {
	if d == Ingress {
		return ingressIndex
	}
	return egressIndex
}

func (u *universe) compile(set int, ports *portTable) *table {
	t := &table{universe: u, set: set, ports: ports,
		pods:     u.newLabelIndex(set, u.first),
		peerSets: make(map[string]bitset), nsTruth: make(map[[2]string]truth)}
	for d := range t.subjects {
		t.subjects[d] = make([]isolation, u.first)
	}
	t.addBlocks()
	for i := range u.sets[set].Policies {
		t.addPolicy(&u.sets[set].Policies[i])
	}
	return t
}

// addBlocks evaluates each block once.
func (t *table) addBlocks() {
	for d, start := range []int{ingressIndex: t.first, egressIndex: t.second} {
		t.blocks[d] = make(map[string]bitset)
		pods := t.podsByClass(d)
		for key := range t.spaces[d].blocks {
			t.blocks[d][key] = t.blockSet(d, start, key, pods)
		}
	}
}

// podsByClass lists the entities of pods with an address of each class.
func (t *table) podsByClass(d int) map[int][]int {
	pods := make(map[int][]int)
	for e := range t.first {
		for _, class := range t.entities[e].sides[t.set].classes[d] {
			pods[class] = append(pods[class], e)
		}
	}
	return pods
}

// blockSet is the addresses of a block, and the pods with only such addresses.
func (t *table) blockSet(d, start int, key string, pods map[int][]int) bitset {
	set := newBitset(len(t.entities))
	in := t.spaces[d].classesIn(key)
	for class := range in {
		set.add(start + class)
		for _, e := range pods[class] {
			all := t.entities[e].sides[t.set].classes[d]
			if !slices.ContainsFunc(all, func(c int) bool { return !in[c] }) {
				set.add(e)
			}
		}
	}
	return set
}

func (t *table) addPolicy(p *Policy) {
	var subjects []int
	t.pods.selected(namespaceOf(p.Namespace), &p.Spec.PodSelector, func(i int) bool {
		if pod := t.pods.pod(i); !pod.HostNetwork || outside(pod) {
			subjects = append(subjects, i)
		}
		return true
	})
	if len(subjects) == 0 {
		return
	}
	for index, d := range []Direction{ingressIndex: Ingress, egressIndex: Egress} {
		if !p.governs(d) {
			continue
		}
		for _, i := range subjects {
			s := &t.subjects[index][i]
			s.isolated, s.by = true, append(s.by, p)
		}
		for _, r := range p.rules(d) {
			t.addRule(index, subjects, r)
		}
	}
}

func (t *table) addRule(index int, subjects []int, r rule) {
	peers := t.peersOf(r)
	plain, names := splitPorts(r.ports)
	if !plain.Empty() {
		id := t.ports.id(plain)
		for _, i := range subjects {
			t.add(index, i, term{peers, id, r.policy})
		}
	}
	for _, p := range names {
		if index == ingressIndex {
			t.addNamedIngress(r.policy, subjects, peers, p)
		} else {
			t.addNamedEgress(r.policy, subjects, peers, p)
		}
	}
}

func (t *table) add(index, subject int, added term) {
	s := &t.subjects[index][subject]
	s.terms = append(s.terms, added)
}

// splitPorts evaluates the ports that need no pod, and returns those that do.
func splitPorts(ports []networkingv1.NetworkPolicyPort,
) (portset.Set, []networkingv1.NetworkPolicyPort) {
	if len(ports) == 0 {
		return portset.All(), nil
	}
	var plain portset.Set
	var names []networkingv1.NetworkPolicyPort
	for _, p := range ports {
		protocol := protocolOfPort(p)
		switch {
		case p.Port == nil:
			plain = plain.Union(portset.Protocol(protocol))
		case p.Port.Type == intstr.String:
			names = append(names, p)
		case p.EndPort != nil:
			plain = plain.Union(portset.Of(protocol, p.Port.IntValue(), int(*p.EndPort)))
		default:
			plain = plain.Union(portset.Of(protocol, p.Port.IntValue(), p.Port.IntValue()))
		}
	}
	return plain, names
}

// addNamedIngress resolves a named port in each subject: it is the destination.
func (t *table) addNamedIngress(policy *Policy, subjects []int, peers bitset,
	p networkingv1.NetworkPolicyPort) {
	for _, i := range subjects {
		if ports := namedPorts(t.entities[i].sides[t.set].pod, p); !ports.Empty() {
			t.add(ingressIndex, i, term{peers, t.ports.id(ports), policy})
		}
	}
}

// addNamedEgress resolves a named port in each peer, and groups the peers that
// give the same number.
func (t *table) addNamedEgress(policy *Policy, subjects []int, peers bitset,
	p networkingv1.NetworkPolicyPort) {
	byPorts := make(map[int32]bitset)
	var ids []int32
	peers.each(func(i int) {
		if i >= t.first {
			return
		}
		ports := namedPorts(t.entities[i].sides[t.set].pod, p)
		if ports.Empty() {
			return
		}
		id := t.ports.id(ports)
		if byPorts[id] == nil {
			byPorts[id] = newBitset(len(t.entities))
			ids = append(ids, id)
		}
		byPorts[id].add(i)
	})
	for _, id := range ids {
		for _, i := range subjects {
			t.add(egressIndex, i, term{byPorts[id], id, policy})
		}
	}
}

func namedPorts(pod *Pod, p networkingv1.NetworkPolicyPort) portset.Set {
	var ports portset.Set
	for _, declared := range pod.Ports {
		if declared.Name == p.Port.StrVal && declared.Protocol == protocolOfPort(p) {
			ports = ports.Union(portset.Of(declared.Protocol, declared.Number, declared.Number))
		}
	}
	return ports
}
