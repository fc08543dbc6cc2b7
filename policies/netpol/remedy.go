package netpol

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/policies/netpol/portset"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Remedy is the change of a declared policy that makes a finding go away, or
// why there is none.
type Remedy struct {
	Finding policies.Finding
	Policy  *Policy // nil where Why says that nothing is changed
	Why     string
	change  change
}

// change is one edit of a policy.
type change struct {
	kind      changeKind
	direction Direction
	rule      int // index
	item      int // index of the peer, or port
	peers     []networkingv1.NetworkPolicyPeer
	ports     []networkingv1.NetworkPolicyPort
	flow      *Flow
}

type changeKind int

const (
	dropRule changeKind = iota
	setPeer             // to peers; none takes it out
	setPort             // to ports; none takes it out
	setPeers            // of a rule without
	setPorts            // of a rule without
	addFlow             // as a rule
)

// Remedies are what makes the findings of [Check] go away that a change of one
// policy can: connections that are denied, and what is allowed beyond what was
// seen. A policy that selects more than one workload is not changed.
func Remedies(declared []Policy, inv *Inventory, obs []policies.Observation, d Dialect) []Remedy {
	c := newChecker(declared, inv, obs, d)
	c.check()
	slices.SortStableFunc(c.remedies, func(a, b Remedy) int { return a.Finding.Compare(b.Finding) })
	return c.remedies
}

// remedy adds what makes a finding about a rule go away.
func (u *use) remedy(f policies.Finding, ch change, why string) {
	ch.direction, ch.rule = u.rule.direction, u.rule.index
	if ch.kind == setPeer {
		ch.peers = u.besides(ch.item, ch.peers)
	}
	r := Remedy{Finding: f, Policy: u.rule.policy, change: ch, Why: why}
	if why == "" {
		r.Why = whyShared(u.rule.policy, u.subjects, u.subjects[0])
	}
	u.remedies = append(u.remedies, r)
}

// besides leaves out the peers that the rule has already, apart from one item.
func (u *use) besides(item int, peers []networkingv1.NetworkPolicyPeer) []networkingv1.NetworkPolicyPeer {
	var fresh []networkingv1.NetworkPolicyPeer
	for _, p := range peers {
		known := false
		for i, other := range u.rule.peers {
			known = known || i != item && peerText(other) == peerText(p)
		}
		if !known {
			fresh = append(fresh, p)
		}
	}
	return fresh
}

// whyShared is why a policy is not changed for the sake of one workload.
func whyShared(p *Policy, subjects []*Owner, o *Owner) string {
	var others []string
	for _, s := range subjects {
		if s != o {
			others = append(others, s.Workload.String())
		}
	}
	if len(others) == 0 {
		return ""
	}
	return fmt.Sprintf("NetworkPolicy %s also selects %s", p, fewOf(others))
}

// allow adds what makes a denied flow pass: a rule of the policy that selects
// the workload alone, the one with the nearest rule before others.
func (c *checker) allow(found policies.Finding, f Flow, d Direction, subject Endpoint, nearest string) {
	owner := subject.owner()
	r := Remedy{Finding: found, change: change{kind: addFlow, direction: d, flow: &f}}
	var why []string
	for _, p := range c.evaluator.policy[owner.namespace()] {
		if !p.governs(d) || matchSelector(&p.Spec.PodSelector, subject.Pod.labels()) != yes {
			continue
		}
		if shared := whyShared(p, c.subjects(p), owner); shared != "" {
			why = append(why, shared)
		} else if r.Policy == nil || p.Name == nearest || r.Policy.Name != nearest && p.Name < r.Policy.Name {
			r.Policy = p
		}
	}
	switch {
	case f.Class == Unresolved:
		r.Why = "who the peer is, is not known"
	case r.Policy == nil:
		r.Why = strings.Join(insert(nil, why...), "; ")
	}
	c.remedies = append(c.remedies, r)
}

// peersFor are the peers that stand for those who were seen, or why nothing does.
func (u *use) peersFor(seen seenPeers) ([]networkingv1.NetworkPolicyPeer, string) {
	b := &builder{inv: u.inv, owner: u.subjects[0]}
	var peers []networkingv1.NetworkPolicyPeer
	for _, p := range seen.pods {
		selector := &metav1.LabelSelector{MatchLabels: p.Labels}
		if p.Owner != nil {
			selector = p.Owner.selector(u.inv)
		}
		if selector == nil || p.HostNetwork && !outside(p) {
			return nil, "no label selects " + p.String()
		}
		peers = append(peers, *b.podPeer(p.Namespace, selector))
	}
	if enough := u.narrower(worldOf(seen.addresses), seen.addresses); enough != nil {
		peers = append(peers, prefixPeers(enough)...)
	} else {
		for _, family := range worldOf(seen.addresses) {
			peers = append(peers, prefixPeers(family.Prefixes())...)
		}
	}
	slices.SortFunc(peers, comparePeers)
	return peers, ""
}

func prefixPeers(prefixes []netip.Prefix) []networkingv1.NetworkPolicyPeer {
	var peers []networkingv1.NetworkPolicyPeer
	for _, p := range prefixes {
		peers = append(peers, *prefixPeer(p))
	}
	return peers
}

// rangedPorts is a set as ports, with endPort for more than one in a row.
func rangedPorts(s portset.Set) []networkingv1.NetworkPolicyPort {
	var list []networkingv1.NetworkPolicyPort
	for _, name := range portset.Protocols() {
		protocol := corev1.Protocol(name)
		for _, in := range s.Intervals(name) {
			first, last := intstr.FromInt(in.First), int32(in.Last)
			p := networkingv1.NetworkPolicyPort{Protocol: &protocol, Port: &first}
			if in.Last > in.First {
				p.EndPort = &last
			}
			list = append(list, p)
		}
	}
	return list
}

// rulesOf are the rules that let flows of a policy's workload pass.
func rulesOf(inv *Inventory, dialect Dialect, owner *Owner, d Direction, flows []*Flow) []draft {
	options, _ := Options{}.withDefaults()
	if dialect.ServicePort {
		options.ServicePorts = ServicePortsBoth
	}
	b := &builder{Synthesis: &Synthesis{options: options}, inv: inv, owner: owner}
	for _, f := range flows {
		if d == Egress {
			b.addFlow(f, Egress, f.Destination)
		} else {
			b.addFlow(f, Ingress, f.Source)
		}
	}
	if d == Egress {
		return b.rules(d, b.egress)
	}
	return b.rules(d, b.ingress)
}
