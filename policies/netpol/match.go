package netpol

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// match is how near one rule comes to a connection.
type match struct {
	rule         rule // without policy: no rule at all
	peer, port   truth
	protocol     bool // some port of the rule has the protocol
	podByAddress bool
}

func (m match) truth() truth { return min(m.peer, m.port) }

// or keeps the better of two: the one that matches, else the one with more of
// the connection right. The peer weighs more than the port.
func (m match) or(o match) match {
	if m.rule.policy == nil || o.rank() > m.rank() {
		return o
	}
	return m
}

func (m match) rank() int {
	rank := int(m.truth())*100 + int(m.peer)*10 + int(m.port)*2
	if m.protocol {
		rank++
	}
	return rank
}

// missed says what keeps the rule from matching.
func (m match) missed(q *question) string {
	c := q.connection
	switch {
	case m.peer == no && m.port == no:
		return fmt.Sprintf("isolated; the nearest rule matches neither peer %s nor port %s %d",
			q.peer, c.Protocol, c.Port)
	case m.peer == no:
		return fmt.Sprintf("isolated; the nearest rule matches the port but not peer %s", q.peer)
	case !m.protocol:
		return fmt.Sprintf("isolated; peer matches, protocol differs: %s vs %s",
			c.Protocol, portsString(m.rule.ports))
	}
	return fmt.Sprintf("isolated; peer matches, port differs: %d vs %s",
		c.Port, portsString(m.rule.ports))
}

func portsString(ports []networkingv1.NetworkPolicyPort) string {
	texts := make([]string, len(ports))
	for i, p := range ports {
		texts[i] = protocolOfPort(p)
		if p.Port != nil {
			texts[i] += " " + p.Port.String()
		}
		if p.EndPort != nil {
			texts[i] += fmt.Sprintf("-%d", *p.EndPort)
		}
	}
	return strings.Join(texts, ", ")
}

func protocolOfPort(p networkingv1.NetworkPolicyPort) string {
	if p.Protocol == nil {
		return string(corev1.ProtocolTCP)
	}
	return string(*p.Protocol)
}

// match evaluates one rule.
func (q *question) match(r rule) match {
	m := match{rule: r, peer: yes, port: yes, protocol: true}
	if len(r.peers) > 0 {
		m.peer, m.podByAddress = q.matchPeers(r)
	}
	if len(r.ports) > 0 {
		m.port, m.protocol = q.matchPorts(r.ports)
	}
	return m
}

func (q *question) matchPeers(r rule) (truth, bool) {
	best, byAddress := no, false
	for _, p := range r.peers {
		t := q.matchPeer(r.policy, p)
		if t > best {
			best = t
			byAddress = p.IPBlock != nil && q.peer.Pod != nil && !q.peer.Pod.onHost()
		}
	}
	return best, byAddress
}

func (q *question) matchPeer(p *Policy, peer networkingv1.NetworkPolicyPeer) truth {
	if peer.IPBlock != nil {
		return q.matchBlock(peer.IPBlock)
	}
	pod := q.peer.Pod
	if pod == nil || pod.HostNetwork && !outside(pod) {
		return no
	}
	namespace := truthOf(pod.Namespace == namespaceOf(p.Namespace))
	if peer.NamespaceSelector != nil {
		namespace = matchSelector(peer.NamespaceSelector, q.inv.namespaceLabels(pod.Namespace))
	}
	labels := yes
	if peer.PodSelector != nil {
		labels = matchSelector(peer.PodSelector, pod.labels())
	}
	if namespace == maybe && labels != no {
		q.missing = append(q.missing, "labels of namespace "+pod.Namespace)
	}
	if labels == maybe && namespace != no {
		q.missing = append(q.missing, "labels of "+pod.String())
	}
	return min(namespace, labels)
}

// matchBlock evaluates an ipBlock against the peer's address, or all addresses
// of a pod where it is not known which one is used.
func (q *question) matchBlock(block *networkingv1.IPBlock) truth {
	if pod := q.peer.Pod; pod != nil {
		return q.matchBlockPod(block, pod)
	}
	if !q.dialect.IPBlockMatchesNodes && q.inv.nodeAt(q.peer.IP) != nil {
		return no
	}
	return truthOf(inBlock(block, q.peer.IP))
}

func (q *question) matchBlockPod(block *networkingv1.IPBlock, pod *Pod) truth {
	addresses, blocked := pod.IPs, !q.dialect.IPBlockMatchesPods
	if pod.HostNetwork && !outside(pod) {
		addresses, blocked = pod.HostIPs, !q.dialect.IPBlockMatchesNodes
	}
	if q.peer.IP.IsValid() {
		addresses = []netip.Addr{q.peer.IP}
	}
	switch {
	case blocked:
		return no
	case len(addresses) == 0:
		q.missing = append(q.missing, "address of "+pod.String())
		return maybe
	}
	in := 0
	for _, ip := range addresses {
		if inBlock(block, ip) {
			in++
		}
	}
	switch in {
	case 0:
		return no
	case len(addresses):
		return yes
	}
	q.missing = append(q.missing, "which address of "+pod.String()+" is used")
	return maybe
}

// inBlock says whether the address is in the block and in none of its exceptions.
func inBlock(block *networkingv1.IPBlock, ip netip.Addr) bool {
	contains := func(cidr string) bool {
		p, err := parseCIDR(cidr)
		return err == nil && p.Contains(ip)
	}
	return contains(block.CIDR) && !slices.ContainsFunc(block.Except, contains)
}

// matchPorts evaluates a list of ports, and says whether one of them has the
// connection's protocol at all.
func (q *question) matchPorts(ports []networkingv1.NetworkPolicyPort) (truth, bool) {
	best, protocol := no, false
	for _, p := range ports {
		if protocolOfPort(p) == q.connection.Protocol {
			protocol = true
			best = max(best, q.matchPort(p))
		}
	}
	return best, protocol
}

func (q *question) matchPort(p networkingv1.NetworkPolicyPort) truth {
	port := q.connection.Port
	switch {
	case p.Port == nil:
		return yes
	case p.Port.Type == intstr.String:
		return q.matchNamed(p.Port.StrVal)
	case p.EndPort != nil:
		return truthOf(p.Port.IntValue() <= port && port <= int(*p.EndPort))
	}
	return truthOf(p.Port.IntValue() == port)
}

// matchNamed looks the name up in the destination, whichever end the subject is.
func (q *question) matchNamed(name string) truth {
	pod := q.connection.Destination.Pod
	if pod == nil {
		return no
	}
	for _, p := range pod.Ports {
		if p.Name == name && p.Protocol == q.connection.Protocol && p.Number == q.connection.Port {
			return yes
		}
	}
	if pod.PortsKnown {
		return no
	}
	q.missing = append(q.missing, fmt.Sprintf("number of port %q of %s", name, pod))
	return maybe
}

// parseCIDR reads a prefix as the API server does for existing objects: host
// bits are tolerated. Leading zeros are not.
func parseCIDR(cidr string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(cidr)
	return p.Masked(), err
}
