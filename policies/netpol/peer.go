package netpol

import (
	"cmp"
	"strings"

	"advisor/policies"
	"advisor/policies/netpol/iprange"
)

// Peer is one end of a connection in a list: a workload, pods that the
// manifests do not have but a rule selects, or addresses.
type Peer struct {
	Workload policies.Workload
	// Pod is the name of one pod, where policies tell the pods of the workload
	// apart.
	Pod string
	// Symbolic describes the pods that a rule selects in words.
	Symbolic string
	Range    iprange.Range // with From set: addresses outside the cluster
}

// IsAddress says that the peer is a range of addresses.
func (p Peer) IsAddress() bool { return p.Range.From.IsValid() }

// String is as the np-guard tools write it: "shop/cart[Deployment]",
// "10.0.0.0-10.0.0.255", "entire-cluster".
func (p Peer) String() string {
	switch {
	case p.IsAddress():
		return p.Range.String()
	case p.Symbolic != "":
		return p.Symbolic
	}
	return namespaceOf(p.Workload.Namespace) + "/" + p.Name()
}

// Name is a workload's String without its namespace, else String.
func (p Peer) Name() string {
	switch {
	case p.IsAddress() || p.Symbolic != "":
		return p.String()
	case p.Pod != "":
		return p.Workload.Name + "[" + p.Workload.Kind + " pod " + p.Pod + "]"
	}
	return p.Workload.Name + "[" + p.Workload.Kind + "]"
}

// Compare orders peers: addresses by number, then workloads, then symbolic ones.
func (p Peer) Compare(o Peer) int {
	return cmp.Or(cmp.Compare(p.rank(), o.rank()), p.Range.Compare(o.Range),
		p.Workload.Compare(o.Workload), strings.Compare(p.Pod, o.Pod),
		strings.Compare(p.Symbolic, o.Symbolic))
}

func (p Peer) rank() int {
	switch {
	case p.IsAddress():
		return 0
	case p.Symbolic == "":
		return 1
	}
	return 2
}
