package netpol

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"advisor/policies/netpol/portset"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// policy puts the grants into rules.
func (b *builder) policy(selector metav1.LabelSelector) made {
	m := made{b.owner, networkingv1.NetworkPolicy{},
		b.rules(Ingress, b.ingress), b.rules(Egress, b.egress)}
	p := &m.policy
	p.Namespace, p.Name = b.owner.namespace(), b.names[b.owner]
	p.Labels = map[string]string{managedBy: "advisor"}
	p.Spec.PodSelector = selector
	p.Spec.PolicyTypes = bothTypes()
	for i, r := range m.ingress {
		p.Spec.Ingress = append(p.Spec.Ingress,
			networkingv1.NetworkPolicyIngressRule{From: r.peers, Ports: r.portList()})
		b.addReason(p, Ingress, i, r)
	}
	for i, r := range m.egress {
		p.Spec.Egress = append(p.Spec.Egress,
			networkingv1.NetworkPolicyEgressRule{To: r.peers, Ports: r.portList()})
		b.addReason(p, Egress, i, r)
	}
	p.Annotations = map[string]string{
		annotationWorkload: b.owner.Workload.Kind + "/" + b.owner.Workload.Name,
		annotationEvidence: digest(append(slices.Clone(b.ingress), b.egress...)),
	}
	if len(b.assumed) > 0 {
		p.Annotations[annotationAssumed] = strings.Join(b.assumed, ",")
	}
	if len(b.dnsPorts) > 0 {
		p.Annotations[annotationDNS] = strings.Join(b.dnsPorts, ",")
	}
	if len(b.nodes) > 0 {
		p.Annotations[annotationNodes] = strings.Join(b.nodes, ",")
	}
	if slices.Contains(b.assumed, "cidr-aggregate") {
		p.Annotations[annotationAggregate] = b.options.CIDRAggregate.String()
	}
	return m
}

// digest is over what was observed, without what changes from run to run.
func digest(grants []grant) string {
	var lines []string
	for _, g := range grants {
		if g.flow != nil {
			lines = insert(lines, string(g.direction)+" "+g.flow.String()+" "+g.flow.Via.String())
		}
	}
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return "sha256:" + hex.EncodeToString(sum[:8])
}

func (b *builder) addReason(p *networkingv1.NetworkPolicy, d Direction, index int, r draft) {
	reason := Reason{Namespace: p.Namespace, Policy: p.Name, Workload: b.owner.Workload,
		Direction: d, Rule: index, Comment: strings.Join(r.comments, ", ")}
	for _, f := range r.flows {
		reason.Flows = append(reason.Flows, ReasonFlow{f.String(), f.Via.String(), f.Evidence})
	}
	b.Reasons = append(b.Reasons, reason)
}

// draft is a rule in the making: peers that share exactly one set of ports.
type draft struct {
	peers    []networkingv1.NetworkPolicyPeer
	ports    portset.Set
	names    map[spokenPort]string // of ports that are written by name
	comments []string
	flows    []*Flow
	addrs    []netip.Addr // external ones, to be aggregated
}

// peerKind orders rules and keeps selectors and CIDRs apart.
type peerKind int

const (
	kindPod peerKind = iota
	kindNamespace
	kindBlock
	kindAll
)

func kindOf(p *networkingv1.NetworkPolicyPeer) peerKind {
	switch {
	case p == nil:
		return kindAll
	case p.IPBlock != nil:
		return kindBlock
	case p.NamespaceSelector != nil:
		return kindNamespace
	}
	return kindPod
}

// rules groups grants: first all ports of a peer, then all peers of a set of ports.
func (b *builder) rules(d Direction, grants []grant) []draft {
	byPeer := make(map[string]*draft)
	for _, g := range grants {
		key := "every peer"
		if g.peer != nil {
			key = peerText(*g.peer)
		}
		r := byPeer[key]
		if r == nil {
			r = &draft{names: make(map[spokenPort]string)}
			byPeer[key] = r
			if g.peer != nil {
				r.peers = append(r.peers, *g.peer)
			}
		}
		r.ports = r.ports.Union(g.ports)
		if g.name != "" {
			r.names[spokenPort{g.flow.Protocol, g.flow.Port}] = g.name
		}
		r.comments = insert(r.comments, g.comment)
		if g.class == External && g.peer != nil && g.address.IsValid() {
			r.addrs = []netip.Addr{g.address}
		}
		if g.flow != nil && !slices.Contains(r.flows, g.flow) {
			r.flows = append(r.flows, g.flow)
		}
	}
	return b.grouped(d, byPeer)
}

func (b *builder) grouped(d Direction, byPeer map[string]*draft) []draft {
	byPorts := make(map[string]*draft)
	for _, r := range byPeer {
		key := r.portText() + " every peer"
		if len(r.peers) > 0 {
			key = fmt.Sprintf("%s %t", r.portText(), r.peers[0].IPBlock != nil)
		}
		if all := byPorts[key]; all == nil {
			byPorts[key] = r
		} else {
			all.join(r)
		}
	}
	var rules []draft
	for _, r := range byPorts {
		b.aggregateRule(d, r)
		slices.SortFunc(r.peers, comparePeers)
		slices.SortFunc(r.flows, func(a, b *Flow) int { return compareFlows(*a, *b) })
		rules = append(rules, *r)
	}
	slices.SortFunc(rules, compareDrafts)
	return rules
}

func (r *draft) join(o *draft) {
	r.peers = append(r.peers, o.peers...)
	r.comments = insert(r.comments, o.comments...)
	r.flows = append(r.flows, o.flows...)
	r.addrs = append(r.addrs, o.addrs...)
}

// aggregateRule merges the external addresses of a rule within the bounds.
func (b *builder) aggregateRule(d Direction, r *draft) {
	if b.options.CIDRAggregate.Bits == 0 || len(r.addrs) < 2 {
		return
	}
	r.peers = slices.DeleteFunc(r.peers, func(p networkingv1.NetworkPolicyPeer) bool {
		return slices.ContainsFunc(r.addrs, func(ip netip.Addr) bool {
			return p.IPBlock.CIDR == blockPeer(ip).IPBlock.CIDR
		})
	})
	for _, a := range b.options.CIDRAggregate.aggregate(r.addrs) {
		peer := prefixPeer(a.prefix)
		r.peers = append(r.peers, *peer)
		if added := a.added(); added.Sign() > 0 {
			b.assume(Assumption{Direction: d, What: "cidr-aggregate", Peer: peer, Ports: r.ports,
				Text: fmt.Sprintf("%s holds %s addresses that were not observed", a.prefix, added)})
		}
	}
}

func portList(s portset.Set) []networkingv1.NetworkPolicyPort {
	var list []networkingv1.NetworkPolicyPort
	for _, name := range portset.Protocols() {
		protocol := corev1.Protocol(name)
		for _, in := range s.Intervals(name) {
			for n := in.First; n <= in.Last; n++ {
				port := intstr.FromInt(n)
				list = append(list, networkingv1.NetworkPolicyPort{Protocol: &protocol, Port: &port})
			}
		}
	}
	return list
}

// compareDrafts orders rules: first protocol, first port, kind of peer, text.
func compareDrafts(a, b draft) int {
	pa, pb := portList(a.ports)[0], portList(b.ports)[0]
	return cmp.Or(
		cmp.Compare(*pa.Protocol, *pb.Protocol), cmp.Compare(pa.Port.IntValue(), pb.Port.IntValue()),
		cmp.Compare(draftKind(a), draftKind(b)),
		cmp.Compare(draftText(a), draftText(b)))
}

func draftKind(r draft) peerKind {
	if len(r.peers) == 0 {
		return kindAll
	}
	return kindOf(&r.peers[0])
}

// portText tells the ports of drafts apart, names and all.
func (r draft) portText() string { return r.ports.String() + " " + portsString(r.portList()) }

func draftText(r draft) string {
	text := r.portText()
	for _, p := range r.peers {
		text += " " + peerText(p)
	}
	return text
}

// comparePeers orders peers: pods, pods of other namespaces, then addresses by
// number.
func comparePeers(a, b networkingv1.NetworkPolicyPeer) int {
	if c := cmp.Compare(kindOf(&a), kindOf(&b)); c != 0 {
		return c
	}
	if a.IPBlock != nil {
		pa, _ := netip.ParsePrefix(a.IPBlock.CIDR)
		pb, _ := netip.ParsePrefix(b.IPBlock.CIDR)
		return cmp.Or(pa.Addr().Compare(pb.Addr()), cmp.Compare(pa.Bits(), pb.Bits()))
	}
	return cmp.Compare(peerText(a), peerText(b))
}

// peerText is the canonical text of a peer; namespaces sort before pods.
func peerText(p networkingv1.NetworkPolicyPeer) string {
	return selectorText(p.NamespaceSelector) + selectorText(p.PodSelector) + blockText(p.IPBlock)
}

func selectorText(s *metav1.LabelSelector) string {
	if s == nil {
		return "-"
	}
	text, _ := json.Marshal(s) // of strings only: cannot fail
	return string(text)
}

func blockText(b *networkingv1.IPBlock) string {
	if b == nil {
		return ""
	}
	return strings.Join(append([]string{b.CIDR}, b.Except...), " ")
}
