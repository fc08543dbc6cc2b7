package netpol

import (
	"net/netip"
	"slices"
	"strings"

	"advisor/policies/netpol/portset"

	networkingv1 "k8s.io/api/networking/v1"
)

// nodeRange is the range of nodes that holds the address, as far as one is named.
func (o Options) nodeRange(ip netip.Addr) (netip.Prefix, bool) {
	for _, p := range o.NodeCIDRs {
		if p.Contains(ip) {
			return p.Masked(), true
		}
	}
	return netip.Prefix{}, false
}

// onNodes gives flows with an address that the options call a node's that class.
func (o Options) onNodes(flows []Flow) {
	for i := range flows {
		f := &flows[i]
		for _, e := range []Endpoint{f.Source, f.Destination} {
			if _, ok := o.nodeRange(e.IP); ok && e.Pod == nil && (f.Class == External || f.Class == Unresolved) {
				f.Class, f.Reason = OnNode, ""
			}
		}
	}
}

// nodePeer stands for a node: by the range of all nodes where one is named,
// since nodes come and go; else by its address, with a note.
func (b *builder) nodePeer(f *Flow, d Direction, ip netip.Addr) *networkingv1.NetworkPolicyPeer {
	all, ok := b.options.nodeRange(ip)
	if !ok {
		b.note(b.owner, "nodes are allowed by address, which changes with them: --node-cidr names the range of all")
		return blockPeer(ip)
	}
	peer := prefixPeer(all)
	b.assume(Assumption{Direction: d, What: "nodes", Peer: peer, Ports: portset.Of(f.Protocol, f.Port, f.Port),
		Text: "every node in " + all.String() + ", not only those seen"})
	b.nodes = insert(b.nodes, all.String())
	return peer
}

// assumesNodes says that the policy declares a range to be that of the nodes.
func (p *Policy) assumesNodes(cidr string) bool {
	return p.assumes("nodes") && slices.Contains(strings.Split(p.Annotations[annotationNodes], ","), cidr)
}
