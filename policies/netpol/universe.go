package netpol

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"advisor/policies"
	"advisor/policies/netpol/iprange"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Set is policies and the workloads that they are in force for.
type Set struct {
	Policies  []Policy
	Inventory *Inventory
}

// universe is everything that one or two sets of policies may tell apart: pods
// that behave alike in all of them are one entity, and so are addresses.
type universe struct {
	sets      []Set
	dialect   Dialect
	podKeys   map[string]bool   // of labels that some selector asks for
	portNames map[string]bool   // that some rule asks for
	domains   [3]domain         // what selectors of each kind tell apart
	symbolic  map[string]*found // by labels; nil for those that are in entities
	// spaces are the addresses as ingress sees them, which are sources, and as
	// egress does, which are destinations.
	spaces   [2]space
	entities []entity
	first    int // entity that stands for addresses; those before are pods
	second   int // the first of those that are destinations
}

// entity is pods or addresses that every policy treats the same.
type entity struct {
	peer   Peer            // Range is not set for addresses: they may be many
	ranges []iprange.Range // addresses
	sides  []side          // of pods, one for each set
	many   bool            // stands for more than one pod
	// Of a symbolic one: subject says that a policy selects it, and base are the
	// labels of the one that speaks for it where both fare alike.
	subject      bool
	labels, base string
	like         int               // of a symbolic one: the workload that speaks for it where both fare alike; -1 for none
	owner        policies.Workload // of pods
}

// side is what an entity's pods are in one of the sets.
type side struct {
	present   bool // the set's inventory has the workload
	pod       *Pod
	namespace labelSet
	classes   [2][]int // of the pod's addresses in each space
}

// The indexes of universe.domains.
const (
	ofSubjects = iota // pods, by policies
	ofPeers           // pods, by rules
	ofNamespaces
)

// newUniverse gathers what the sets tell apart; with strangers also the pods that
// policies select and that no manifest has.
func newUniverse(sets []Set, dialect Dialect, strangers bool) *universe {
	u := &universe{sets: sets, dialect: dialect,
		podKeys: make(map[string]bool), portNames: make(map[string]bool), symbolic: make(map[string]*found)}
	u.scan()
	u.addWorkloads()
	if strangers {
		u.addStrangers()
	}
	u.addSymbolic()
	u.first = len(u.entities)
	u.entities = u.spaces[ingressIndex].entities(u.entities)
	u.second = len(u.entities)
	u.entities = u.spaces[egressIndex].entities(u.entities)
	return u
}

// scan walks all rules for the label keys, port names and blocks they mention.
func (u *universe) scan() {
	for _, set := range u.sets {
		for i := range set.Policies {
			p := &set.Policies[i]
			u.scanSelector(&p.Spec.PodSelector, ofSubjects)
			for _, r := range append(p.rules(Ingress), p.rules(Egress)...) {
				u.scanRule(r)
			}
		}
	}
	for i := range u.spaces {
		u.spaces[i].cut()
	}
}

func (u *universe) scanSelector(s *metav1.LabelSelector, of int) {
	if s == nil {
		return
	}
	u.domains[of].note(s)
	for key := range s.MatchLabels {
		u.podKeys[key] = true
	}
	for _, e := range s.MatchExpressions {
		u.podKeys[e.Key] = true
	}
}

func (u *universe) scanRule(r rule) {
	for _, p := range r.ports {
		if p.Port != nil && p.Port.Type == intstr.String {
			u.portNames[p.Port.StrVal] = true
		}
	}
	for _, p := range r.peers {
		u.scanSelector(p.PodSelector, ofPeers)
		u.domains[ofNamespaces].note(p.NamespaceSelector)
		if p.IPBlock != nil {
			u.spaces[indexOf(r.direction)].add(p.IPBlock)
		}
	}
}

// addWorkloads adds the workloads of all sets, sorted. A workload that one set
// does not have is there with the pods of the other, and marked.
func (u *universe) addWorkloads() {
	owners := make(map[policies.Workload][]*Owner)
	for i, set := range u.sets {
		for _, o := range set.Inventory.Owners {
			if owners[o.Workload] == nil {
				owners[o.Workload] = make([]*Owner, len(u.sets))
			}
			owners[o.Workload][i] = o
		}
	}
	sorted := slices.SortedFunc(maps.Keys(owners), policies.Workload.Compare)
	for _, w := range sorted {
		u.addWorkload(w, owners[w])
	}
}

// addWorkload adds one entity for each way in which the workload's pods differ.
func (u *universe) addWorkload(w policies.Workload, owners []*Owner) {
	variants := u.variants(owners)
	for i := range variants {
		v := &variants[i]
		v.owner = w
		v.peer = Peer{Workload: w}
		if len(variants) > 1 {
			v.peer.Pod = v.sides[0].pod.Name
		}
	}
	u.entities = append(u.entities, variants...)
}

// variants pairs the pods of a workload over the sets, by name, and folds
// those that no policy tells apart.
func (u *universe) variants(owners []*Owner) []entity {
	var list []entity
	index := make(map[string]int)
	for _, name := range podNames(owners) {
		sides := make([]side, len(owners))
		key := ""
		for i, o := range owners {
			sides[i].present = o != nil
			sides[i].pod = u.podOf(owners, i, name)
			key += u.signature(sides[i].pod, o) + "\x00"
		}
		at, known := index[key]
		if known {
			list[at].many = true
			continue
		}
		for i := range sides {
			sides[i].namespace = u.sets[i].Inventory.namespaceLabels(sides[i].pod.Namespace)
			for _, ip := range u.blockAddresses(sides[i].pod) {
				for d := range u.spaces {
					sides[i].classes[d] = append(sides[i].classes[d], u.spaces[d].classAt(ip))
				}
			}
		}
		index[key] = len(list)
		list = append(list, entity{sides: sides, many: replicas(owners) > 1})
	}
	return list
}

func replicas(owners []*Owner) int {
	n := 0
	for _, o := range owners {
		if o != nil {
			n = max(n, o.Replicas)
		}
	}
	return n
}

func podNames(owners []*Owner) []string {
	names := make(map[string]bool)
	for _, o := range owners {
		if o == nil {
			continue
		}
		for _, p := range o.sample() {
			names[p.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// podOf is the pod of that name in a set, else one that stands for it.
func (u *universe) podOf(owners []*Owner, set int, name string) *Pod {
	order := append([]*Owner{owners[set]}, owners...)
	for _, o := range order {
		if o == nil {
			continue
		}
		for _, p := range o.sample() {
			if p.Name == name {
				return p
			}
		}
		if o == owners[set] && len(o.sample()) > 0 {
			return o.sample()[0]
		}
	}
	return &Pod{}
}

// signature is all of a pod that a policy can see.
func (u *universe) signature(p *Pod, o *Owner) string {
	var b strings.Builder
	b.WriteString(strconv.FormatBool(o != nil))
	b.WriteString(strconv.FormatBool(p.HostNetwork))
	b.WriteString(p.Namespace)
	for _, key := range slices.Sorted(maps.Keys(p.Labels)) {
		if u.podKeys[key] {
			b.WriteString("\x01" + key + "=" + p.Labels[key])
		}
	}
	for _, port := range p.Ports {
		if u.portNames[port.Name] {
			b.WriteString("\x02" + port.Name + port.Protocol + strconv.Itoa(port.Number))
		}
	}
	for d := range u.spaces {
		b.WriteString("\x04" + u.spaces[d].signature(u.blockAddresses(p)))
	}
	return b.String()
}

// blockAddresses are the addresses of a pod that an ipBlock may match.
func (u *universe) blockAddresses(p *Pod) []netip.Addr {
	switch {
	case p.HostNetwork && !outside(p):
		if u.dialect.IPBlockMatchesNodes {
			return p.HostIPs
		}
		return nil
	case u.dialect.IPBlockMatchesPods:
		return p.IPs
	}
	return nil
}
