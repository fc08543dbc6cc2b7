package netpol

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// clockSkew is how far the clocks of two nodes of a working cluster may differ.
const clockSkew = 2 * time.Second

// podAt returns the pod that had the address at that time. Where more than one
// workload may have had it, or none then, the reason says so.
func (inv *Inventory) podAt(ip netip.Addr, at time.Time) (*Pod, string) {
	candidates := inv.addresses[ip]
	var then []*Pod
	for _, p := range candidates {
		if p.livedAt(at) {
			then = append(then, p)
		}
	}
	switch {
	case len(candidates) == 0:
		return nil, ""
	case len(then) == 0:
		return nil, fmt.Sprintf("it was the address of %s, but not at that time", candidates[0])
	}
	for _, p := range then[1:] {
		if p.Owner != then[0].Owner {
			return nil, fmt.Sprintf("ambiguous: %s and %s may both have had it", then[0], p)
		}
	}
	return then[0], ""
}

func (p *Pod) livedAt(at time.Time) bool {
	if at.IsZero() {
		return true
	}
	return (p.From.IsZero() || !at.Before(p.From.Add(-clockSkew))) &&
		(p.Until.IsZero() || !at.After(p.Until.Add(clockSkew)))
}

// serviceAt returns the Service and its port behind an address: its ClusterIP,
// an address of its load balancer, or its port on a node.
func (inv *Inventory) serviceAt(ip netip.Addr, protocol string, port int) (*Service, ServicePort) {
	for _, s := range inv.dialled[ip] {
		if p, ok := s.port(protocol, port); ok {
			return s, p
		}
	}
	if inv.nodeAt(ip) == nil {
		return nil, ServicePort{}
	}
	for _, s := range inv.Services {
		if p, ok := s.nodePort(protocol, port); ok {
			return s, p
		}
	}
	return nil, ServicePort{}
}

func (inv *Inventory) nodeAt(ip netip.Addr) *Node {
	for _, n := range inv.Nodes {
		if slices.Contains(n.IPs, ip) {
			return n
		}
	}
	return nil
}

// onNode says whether an address is the pod's own node, or the bridge of the
// pod network on it, which by custom is the first address of the node's range.
func (inv *Inventory) ownNode(p *Pod, ip netip.Addr) bool {
	if slices.Contains(p.HostIPs, ip) {
		return true
	}
	for _, n := range inv.Nodes {
		if n.Name != p.Node || p.Node == "" {
			continue
		}
		for _, c := range n.PodCIDRs {
			if c.Addr().Next() == ip {
				return true
			}
		}
	}
	return false
}

// probes says whether the kubelet is declared to connect to the port.
func (p *Pod) probes(port int) bool {
	return slices.ContainsFunc(p.Owner.probes, func(pr probe) bool {
		return pr.port == port && pr.name == "" || pr.name != "" &&
			slices.ContainsFunc(p.Ports, func(d Port) bool { return d.Name == pr.name && d.Number == port })
	})
}

// unknownReason says why an address that nobody claims may still be a pod's or
// a Service's, or "" where it is surely outside.
func (inv *Inventory) unknownReason(subject *Pod, ip netip.Addr) string {
	for _, n := range inv.Nodes {
		for _, c := range n.PodCIDRs {
			if c.Contains(ip) {
				return "in the pod range of node " + n.Name + ", but no known pod had it"
			}
		}
	}
	if !subject.Owner.Outside && (ip.IsPrivate() || sharedSpace.Contains(ip)) {
		return "a private address that no known pod, Service or node had"
	}
	return ""
}

// sharedSpace is the address space of RFC 6598, which clusters use for pods.
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// broadcast is the limited broadcast address of RFC 919.
var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// dropReason says why traffic with an address is never a rule, or "".
func dropReason(subject *Pod, ip netip.Addr) string {
	switch {
	case ip.IsLoopback():
		return "loopback traffic, which no policy governs"
	case slices.Contains(subject.IPs, ip) && !subject.HostNetwork:
		return "traffic with itself, which no policy governs"
	case slices.Contains(subject.IPs, ip):
		return "traffic within its own host"
	case ip.IsMulticast(), ip == broadcast:
		return "multicast and broadcast traffic, which policies leave undefined"
	case ip.IsUnspecified():
		return "traffic with an unspecified address"
	case ip.Is6() && ip.IsLinkLocalUnicast():
		return "link-local traffic of IPv6 with its own link"
	}
	return ""
}

// inCluster says that the pod's resolver searches a cluster's domain.
func (p *Pod) inCluster() bool {
	return slices.ContainsFunc(p.Search, func(s string) bool {
		return slices.Contains(strings.Split(s, "."), "svc")
	})
}
