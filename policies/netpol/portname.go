package netpol

import (
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// portName is the name that stands for a port of the destination, "" where no
// name says exactly that: all pods that the rule may reach have to declare it,
// with this number and no other.
func (b *builder) portName(d Direction, port spokenPort, peer *networkingv1.NetworkPolicyPeer) string {
	if !b.options.NamedPorts {
		return ""
	}
	namespace, selector := b.owner.namespace(), b.owner.selector(b.inv)
	if d == Egress {
		if peer == nil || peer.PodSelector == nil {
			return ""
		}
		namespace, _ = pinnedNamespace(&Policy{NetworkPolicy: networkingv1.NetworkPolicy{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace}}}, *peer)
		selector = peer.PodSelector
	}
	pods := b.inv.selected(namespace, selector)
	if len(pods) == 0 {
		return ""
	}
	for _, declared := range pods[0].Ports {
		here := spokenPort{declared.Protocol, declared.Number} == port && declared.Name != ""
		if here && !slices.ContainsFunc(pods, func(p *Pod) bool { return !p.calls(port, declared.Name) }) {
			return declared.Name
		}
	}
	return ""
}

// calls says that the pod has a port of that name, and that it is this one only.
func (p *Pod) calls(port spokenPort, name string) bool {
	found := false
	for _, declared := range p.Ports {
		if declared.Name != name || declared.Protocol != port.protocol {
			continue
		}
		if declared.Number != port.number {
			return false
		}
		found = true
	}
	return found && p.PortsKnown && !p.HostNetwork
}

// portList is the ports of the rule, by name where one stands for a port.
func (r draft) portList() []networkingv1.NetworkPolicyPort {
	list := portList(r.ports)
	for i, p := range list {
		if name := r.names[spokenPort{string(*p.Protocol), p.Port.IntValue()}]; name != "" {
			named := intstr.FromString(name)
			list[i].Port = &named
		}
	}
	return list
}
