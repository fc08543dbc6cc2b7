package report

import (
	"fmt"
	"net/netip"
	"strings"

	"advisor/policies"
	"advisor/policies/netpol"
	"advisor/policies/netpol/portset"
)

// unseenFlows are what the declared policies allow and nobody was seen to do.
// Workloads that no policy governs are allowed everything, which is a finding
// of its own and not repeated here.
func unseenFlows(m Manifests, inv *netpol.Inventory, seen []netpol.Flow, dialect netpol.Dialect) []Flow {
	if len(m.Netpol) == 0 {
		return nil
	}
	governed := governedBy(netpol.NewEvaluator(m.Netpol, inv, dialect), inv)
	set := netpol.Set{Policies: m.Netpol, Inventory: inv}
	var list []unseen
	for _, a := range netpol.Connections(set, netpol.ConnectionsOptions{Dialect: dialect}) {
		from, to := governed[a.Source.Workload], governed[a.Destination.Workload]
		if !from.egress && !to.ingress || a.Source.Compare(a.Destination) == 0 {
			continue
		}
		if ports := a.Ports.Minus(usedPorts(a, seen)); !ports.Empty() {
			list = append(list, unseen{endOf(a.Source), endOf(a.Destination), ports})
		}
	}
	list = gather(list, func(u *unseen) *end { return &u.from })
	list = gather(list, func(u *unseen) *end { return &u.to })
	flows := make([]Flow, len(list))
	for i, u := range list {
		flows[i] = u.flow()
	}
	return flows
}

// unseen is what is allowed from one end to another.
type unseen struct {
	from, to end
	ports    portset.Set
}

// end is a workload, or addresses, which have no namespace.
type end struct{ namespace, name string }

func endOf(p netpol.Peer) end {
	if !p.IsAddress() {
		return end{p.Workload.Namespace, p.Workload.String()}
	}
	if prefixes := p.Range.Prefixes(); len(prefixes) == 1 {
		return end{name: prefixes[0].String()}
	}
	return end{name: p.String()}
}

func (u unseen) flow() Flow {
	f := Flow{From: u.from.name, To: u.to.name, Allowed: string(netpol.Allowed)}
	for _, protocol := range portset.Protocols() {
		in := u.ports.Intervals(protocol)
		if len(in) == 1 && in[0].First == in[0].Last &&
			u.ports.Equal(portset.Of(protocol, in[0].First, in[0].Last)) {
			f.Protocol, f.Port = protocol, in[0].First
			return f
		}
	}
	f.Ports = strings.ReplaceAll(u.ports.String(), "All Connections", "any")
	return f
}

// manyEnds is from how many workloads of a namespace on they are told as one: a
// rule for everyone says the same of each.
const manyEnds = 4

// gather makes one of all that differ in one end only, where those ends are
// many workloads of one namespace.
func gather(list []unseen, side func(*unseen) *end) []unseen {
	type key struct{ namespace, other, ports string }
	keyOf := func(u unseen) key {
		k := key{namespace: side(&u).namespace, ports: u.ports.String()}
		*side(&u) = end{}
		k.other = u.from.name + " -> " + u.to.name
		return k
	}
	count := make(map[key]int)
	for _, u := range list {
		count[keyOf(u)]++
	}
	var out []unseen
	done := make(map[key]bool)
	for _, u := range list {
		k := keyOf(u)
		if k.namespace == "" || count[k] < manyEnds {
			out = append(out, u)
			continue
		}
		if !done[k] {
			done[k] = true
			side(&u).name = fmt.Sprintf("%s/any of %d others", k.namespace, count[k])
			out = append(out, u)
		}
	}
	return out
}

// isolation says for which directions some policy selects a workload.
type isolation struct{ ingress, egress bool }

func governedBy(e *netpol.Evaluator, inv *netpol.Inventory) map[policies.Workload]isolation {
	// Any address does: who governs a pod does not depend on its peer.
	elsewhere := netpol.Endpoint{IP: netip.AddrFrom4([4]byte{192, 0, 2, 1})}
	governed := make(map[policies.Workload]isolation)
	for _, o := range inv.Owners {
		pods := o.Pods
		if o.Template != nil {
			pods = append([]*netpol.Pod{o.Template}, pods...)
		}
		if len(pods) == 0 {
			continue
		}
		self := netpol.Endpoint{Pod: pods[0]}
		c := netpol.Connection{Source: self, Destination: elsewhere, Protocol: portset.Protocols()[0], Port: 1}
		out := e.Evaluate(c)
		c.Source, c.Destination = elsewhere, self
		in := e.Evaluate(c)
		governed[o.Workload] = isolation{
			ingress: len(in.Ingress.Policies) > 0, egress: len(out.Egress.Policies) > 0,
		}
	}
	return governed
}

// usedPorts are those on which the ends of an allowance were seen to talk.
func usedPorts(a netpol.Allowance, seen []netpol.Flow) portset.Set {
	var used portset.Set
	for _, f := range seen {
		if isEnd(a.Source, f.Source) && isEnd(a.Destination, f.Destination) {
			used = used.Union(portset.Of(f.Protocol, f.Port, f.Port))
		}
	}
	return used
}

func isEnd(p netpol.Peer, e netpol.Endpoint) bool {
	if p.IsAddress() {
		return e.Pod == nil && p.Range.Contains(e.IP)
	}
	return e.Pod != nil && e.Pod.Owner != nil && e.Pod.Owner.Workload == p.Workload
}
