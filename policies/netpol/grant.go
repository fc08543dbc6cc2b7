package netpol

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"advisor/policies/netpol/portset"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// builder makes the policy of one workload.
type builder struct {
	*Synthesis
	inv             *Inventory
	owner           *Owner
	ingress, egress []grant
	assumed         []string
	nodes           []string // ranges that stand for nodes
	flows           []*Flow  // that the workload is an end of
	dnsPorts        []string // unusual ones, of assumed nameservers
}

// grant is one peer with one port, on its way to a rule.
type grant struct {
	direction Direction
	peer      *networkingv1.NetworkPolicyPeer // nil: every peer
	ports     portset.Set
	name      string // of the flow's port, where it is written by name
	comment   string
	class     Class
	address   netip.Addr // of a peer that is one address
	flow      *Flow      // nil where assumed
}

func (b *builder) grant(g grant) {
	if g.direction == Ingress {
		b.ingress = append(b.ingress, g)
	} else {
		b.egress = append(b.egress, g)
	}
}

// assume records something that the policy allows and nobody observed.
func (b *builder) assume(a Assumption) {
	a.Workload = b.owner.Workload
	b.Assumed = append(b.Assumed, a)
	b.assumed = insert(b.assumed, a.What)
}

// addFlows grants every flow that the workload is an end of.
func (b *builder) addFlows(flows []*Flow) {
	b.flows = flows
	for _, f := range flows {
		if f.Source.owner() == b.owner {
			b.addFlow(f, Egress, f.Destination)
		}
		if f.Destination.owner() == b.owner {
			b.addFlow(f, Ingress, f.Source)
		}
	}
}

func (b *builder) addFlow(f *Flow, d Direction, peer Endpoint) {
	if f.Class == Unresolved && b.unresolved(f, d) {
		return
	}
	if f.Class == Unresolved && len(b.inv.addresses[peer.IP]) > 0 {
		b.assume(Assumption{Direction: d, What: "ambiguous-address", Peer: blockPeer(peer.IP),
			Ports: portset.Of(f.Protocol, f.Port, f.Port),
			Text:  peer.IP.String() + " was the address of more than one workload"})
	}
	outside := f.Class == External || f.Class == OnNode
	if d == Ingress && outside && b.externalIngress(f) {
		return
	}
	g := grant{direction: d, ports: portset.Of(f.Protocol, f.Port, f.Port), class: f.Class, flow: f}
	g.comment = b.comment(f, d, peer)
	for _, p := range b.peers(f, d, peer) {
		g.peer, g.address = p, netip.Addr{}
		g.name = b.portName(d, spokenPort{f.Protocol, f.Port}, p)
		if p.IPBlock != nil {
			g.address = peer.IP
		}
		b.grant(g)
		b.widen(g)
	}
}

// widen adds the ports that go with an observed one by convention.
func (b *builder) widen(g grant) {
	f := g.flow
	if f.Class == DNS && g.direction == Egress {
		other := map[string]string{"TCP": "UDP", "UDP": "TCP"}[f.Protocol]
		b.assumePorts(g, "dns-protocol", portset.Of(other, f.Port, f.Port),
			"DNS over "+other+" beside "+f.Protocol+": long answers change the protocol")
	}
	if b.options.ServicePorts == ServicePortsBoth && g.direction == Egress &&
		f.Via.Service != nil && f.Via.Port != f.Port {
		b.assumePorts(g, "service-port", portset.Of(f.Protocol, f.Via.Port, f.Via.Port),
			"port of Service "+f.Via.Service.String()+", for agents that decide before translation")
	}
}

func (b *builder) assumePorts(g grant, what string, ports portset.Set, text string) {
	g.ports, g.name = ports, ""
	b.grant(g)
	b.assume(Assumption{Direction: g.direction, What: what, Text: text, Peer: g.peer, Ports: ports})
}

// unresolved applies the choice for peers that are not known, and says whether
// the flow gets no rule.
func (b *builder) unresolved(f *Flow, d Direction) bool {
	omit := b.options.Unresolved != UnresolvedIPBlock
	b.Unresolved = append(b.Unresolved, UnresolvedFlow{b.owner.Workload, d, f.String(), f.Reason,
		omit, f.key()})
	return omit
}

// externalIngress applies the choice for sources outside the cluster, and says
// whether that settles the flow.
func (b *builder) externalIngress(f *Flow) bool {
	ports := portset.Of(f.Protocol, f.Port, f.Port)
	switch b.options.ExternalIngress {
	case ExternalAny:
		b.grant(grant{direction: Ingress, ports: ports, comment: "everyone", class: External, flow: f})
		b.assume(Assumption{Direction: Ingress, What: "external-ingress", Ports: ports,
			Text: fmt.Sprintf("every source may connect to %s, not only those seen", ports)})
		return true
	case ExternalNone:
		b.Unresolved = append(b.Unresolved, UnresolvedFlow{b.owner.Workload, Ingress, f.String(),
			"ingress from outside gets no rule", true, f.key()})
		return true
	}
	return false
}

func (f *Flow) key() flowKey {
	return flowKey{endpointKey(f.Source), endpointKey(f.Destination),
		f.Protocol, f.Port, f.Via.String()}
}

// peers returns the peers that stand for the other end of a flow.
func (b *builder) peers(f *Flow, d Direction, e Endpoint) []*networkingv1.NetworkPolicyPeer {
	pod := e.Pod
	switch {
	case pod == nil && f.Class == OnNode:
		return []*networkingv1.NetworkPolicyPeer{b.nodePeer(f, d, e.IP)}
	case pod == nil:
		return []*networkingv1.NetworkPolicyPeer{blockPeer(e.IP)}
	case d == Egress && f.Via.Service.selects(pod):
		s := f.Via.Service
		peer := b.podPeer(s.Namespace, s.selector())
		b.assumeSelected(f, peer)
		return []*networkingv1.NetworkPolicyPeer{peer}
	case pod.Owner == nil:
		return []*networkingv1.NetworkPolicyPeer{
			b.podPeer(pod.Namespace, &metav1.LabelSelector{MatchLabels: pod.Labels})}
	}
	selector := pod.Owner.selector(b.inv)
	if selector != nil && !pod.Owner.hostNetwork() {
		return []*networkingv1.NetworkPolicyPeer{b.ownerPeer(pod.Owner, selector, f, d)}
	}
	return b.addressPeers(f, d, e)
}

// assumeSelected says so where a Service selects workloads that were not among its
// endpoints: its selector is what it may balance to.
func (b *builder) assumeSelected(f *Flow, peer *networkingv1.NetworkPolicyPeer) {
	reached := map[*Owner]bool{b.owner: len(b.owner.Pods) < 2}
	for _, other := range b.flows {
		if other.Source.owner() == b.owner && other.Via == f.Via && other.Port == f.Port {
			reached[other.Destination.owner()] = true
		}
	}
	for _, pod := range onePerOwner(b.inv.selected(f.Via.Service.Namespace, f.Via.Service.selector())) {
		if !reached[pod.Owner] {
			b.assume(Assumption{Direction: Egress, What: "service-selector", Peer: peer,
				Ports: portset.Of(f.Protocol, f.Port, f.Port),
				Text:  "Service " + f.Via.Service.String() + " also selects " + pod.String() + ", to which nothing was seen to go"})
		}
	}
}

// ownerPeer selects the pods of a workload, and says so where it selects more.
func (b *builder) ownerPeer(o *Owner, s *metav1.LabelSelector, f *Flow, d Direction,
) *networkingv1.NetworkPolicyPeer {
	peer := b.podPeer(o.namespace(), s)
	if b.inv.selectsOthers(o, s) {
		b.assume(Assumption{Direction: d, What: "shared-labels", Peer: peer,
			Ports: portset.Of(f.Protocol, f.Port, f.Port),
			Text:  "the labels of " + o.Workload.String() + " are also another workload's"})
	}
	return peer
}

// addressPeers stands in for a pod that no selector matches: one in the host's
// network, or without a stable label.
func (b *builder) addressPeers(f *Flow, d Direction, e Endpoint) []*networkingv1.NetworkPolicyPeer {
	addresses := e.Pod.IPs
	if e.Pod.HostNetwork && len(e.Pod.HostIPs) > 0 {
		addresses = e.Pod.HostIPs
	}
	if e.IP.IsValid() {
		addresses = []netip.Addr{e.IP}
	}
	if !e.Pod.HostNetwork {
		b.note(b.owner, "%s cannot be selected by labels: its address stands for it, and will change", e.Pod)
	}
	var peers []*networkingv1.NetworkPolicyPeer
	for _, ip := range addresses {
		if e.Pod.HostNetwork {
			peers = append(peers, b.nodePeer(f, d, ip))
		} else {
			peers = append(peers, blockPeer(ip))
		}
	}
	return peers
}

func blockPeer(ip netip.Addr) *networkingv1.NetworkPolicyPeer {
	return prefixPeer(netip.PrefixFrom(ip, ip.BitLen()))
}

func prefixPeer(p netip.Prefix) *networkingv1.NetworkPolicyPeer {
	return &networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: p.String()}}
}

// podPeer selects pods; in another namespace by its name.
func (b *builder) podPeer(namespace string, s *metav1.LabelSelector,
) *networkingv1.NetworkPolicyPeer {
	peer := &networkingv1.NetworkPolicyPeer{PodSelector: s}
	if namespace != b.owner.namespace() {
		peer.NamespaceSelector = &metav1.LabelSelector{
			MatchLabels: map[string]string{nameLabel: namespace}}
	}
	return peer
}

// comment names the other end of a flow the same way in every run.
func (b *builder) comment(f *Flow, d Direction, e Endpoint) string {
	switch {
	case f.Class == DNS && d == Egress:
		return "DNS"
	case f.Class == APIServer:
		return "API server"
	case f.Class == Unresolved:
		return classComment(f)
	case d == Egress && f.Via.Service != nil:
		return b.short(f.Via.Service.Namespace, f.Via.Service.Name) + portChange(f)
	case e.Pod != nil && e.Pod.Owner != nil:
		return b.short(e.Pod.Owner.namespace(), e.Pod.Owner.Workload.Name)
	case e.Pod != nil:
		return b.short(e.Pod.Namespace, e.Pod.Name)
	}
	return classComment(f)
}

func portChange(f *Flow) string {
	if f.Via.Port == f.Port {
		return ""
	}
	return fmt.Sprintf(":%d -> %d", f.Via.Port, f.Port)
}

func classComment(f *Flow) string {
	switch f.Class {
	case OnNode:
		return "node of the cluster"
	case LinkLocal:
		return "link-local address"
	case Unresolved:
		return "unresolved: " + f.Reason
	}
	return "outside the cluster"
}

func (b *builder) short(namespace, name string) string {
	if namespace == b.owner.namespace() {
		return name
	}
	return namespace + "/" + name
}

// addDNS grants DNS to a workload that has other egress and was not seen to
// ask for names: a cache, or a recording that began late, hides the question.
func (b *builder) addDNS() {
	asked := slices.ContainsFunc(b.egress, b.asksNameserver)
	if asked || len(b.egress) == 0 {
		return
	}
	for _, d := range b.nameservers() {
		ports := portset.Of("UDP", d.port, d.port).Union(portset.Of("TCP", d.port, d.port))
		if d.port != dnsPort && d.port != openshiftDNSPort {
			b.dnsPorts = insert(b.dnsPorts, strconv.Itoa(d.port))
		}
		b.grant(grant{direction: Egress, peer: d.peer, ports: ports, comment: "DNS (assumed)", class: DNS,
			address: d.address})
		b.assume(Assumption{Direction: Egress, What: "dns", Peer: d.peer, Ports: ports,
			Text: "DNS at " + d.text + ": not observed, but it connects to other peers"})
	}
}

// asksNameserver says that a grant is for one of the nameservers that the
// workload is configured to use. One that it asks besides says nothing.
func (b *builder) asksNameserver(g grant) bool {
	if g.class != DNS || g.flow == nil {
		return false
	}
	if pod := g.flow.Destination.Pod; pod != nil {
		return isDNSPod(pod)
	}
	configured := 0
	for _, p := range b.owner.Pods {
		configured += len(p.Nameservers)
		if slices.Contains(p.Nameservers, g.flow.Destination.IP) {
			return true
		}
	}
	return configured == 0
}

type nameserverPeer struct {
	peer    *networkingv1.NetworkPolicyPeer
	port    int
	text    string
	address netip.Addr
}

// nameservers are those of the workload's own resolv.conf, else the cluster's.
func (b *builder) nameservers() []nameserverPeer {
	var servers []netip.Addr
	cluster := !b.owner.Outside
	for _, p := range b.owner.Pods {
		servers = sortedAddrs(append(servers, p.Nameservers...))
		cluster = cluster && (p.inCluster() || len(p.Nameservers) == 0)
	}
	if cluster && !slices.ContainsFunc(servers, netip.Addr.IsLinkLocalUnicast) {
		peers := []nameserverPeer{b.clusterPeer(append(servers, netip.Addr{})[0])}
		for _, ip := range servers {
			if b.inv.nodeCache { // it answers there itself, see withCache
				peers = append(peers, nameserverPeer{blockPeer(ip), dnsPort, ip.String() + ", where the node's cache listens", ip})
			}
		}
		return peers
	}
	var peers []nameserverPeer
	for _, ip := range servers {
		if dropReason(b.owner.Pods[0], ip) == "" {
			peers = append(peers, nameserverPeer{blockPeer(ip), dnsPort, ip.String(), ip})
		}
	}
	return peers
}

func (b *builder) clusterPeer(nameserver netip.Addr) nameserverPeer {
	e, port := b.inv.clusterDNS(nameserver)
	if e.Pod == nil {
		return nameserverPeer{blockPeer(e.IP), port, e.IP.String(), e.IP}
	}
	selector := &metav1.LabelSelector{MatchLabels: e.Pod.Labels}
	if e.Pod.Owner != nil {
		selector = e.Pod.Owner.selector(b.inv)
	}
	text := strings.TrimSuffix(e.Pod.Namespace+"/"+e.Pod.Name, "/")
	return nameserverPeer{b.podPeer(e.Pod.Namespace, selector), port, text, netip.Addr{}}
}
