// Package netpol reads, evaluates, generates and compares Kubernetes
// NetworkPolicies (networking.k8s.io/v1).
//
// The verbs, in the order in which they are used:
//
//   - [NewInventory] gathers what is known of pods, owners, namespaces,
//     Services, EndpointSlices and nodes, from manifests and from traces.
//   - [Flows] turns observed connects and accepts into flows between pods and
//     addresses: resolved by address and time, joined at both ends, translated
//     through Services. An ambiguous address stays unresolved.
//   - [Synthesize] makes one policy a workload from the flows; [Prove] holds
//     the result against them again.
//   - [Parse] reads policies as strictly as the API server does; [Evaluate]
//     says what they make of one connection: allowed, denied or unknown.
//   - [Compare] and [Connections] compute what sets of policies allow between
//     all workloads and all addresses; [Check] holds them against flows.
//
// # Semantics
//
// A connection is allowed if egress at its source and ingress at its
// destination allow it. A direction is allowed if the subject is no pod, or is
// in the host's network, or if no policy of its namespace selects it for that
// direction; else if one rule of one of those policies matches both peer and
// port. There is no order and no deny. A rule without peers matches every peer,
// one without ports every port of every protocol; a port without a number
// matches every port of its protocol. A named port is the destination pod's,
// for ingress and egress alike, with the rule's protocol, and never matches an
// address. Where the API leaves things undefined, a [Dialect] decides.
//
// The port is the one that the destination pod sees, after translation by a
// Service. ICMP and protocols other than TCP, UDP and SCTP are outside, as are
// a pod's traffic to itself and anything from a pod's own node.
package netpol

import (
	"net/netip"

	"advisor/policies"
)

// Direction of traffic as seen from the pod a policy selects.
type Direction string

// The two directions. Their values are those of a NetworkPolicy's policyTypes.
const (
	Ingress Direction = "Ingress"
	Egress  Direction = "Egress"
)

// Dialect is an implementation's answer where the API leaves one open.
type Dialect struct {
	Name string
	// IPBlockMatchesPods: an ipBlock matches the address of a pod in the cluster.
	IPBlockMatchesPods bool
	// IPBlockMatchesNodes: an ipBlock matches the address of a node.
	IPBlockMatchesNodes bool
	// ServicePort: egress is decided on the Service's port, before translation,
	// as well as on the port behind it.
	ServicePort bool
}

// Dialects are the dialects there are, the default first.
//
// Sources: the field comments of networking.k8s.io/v1 for kubernetes;
// cilium/cilium#20550 for cilium (CIDR rules do not select identities of the
// cluster, nodes only with policyCIDRMatchMode: nodes, which is cilium-nodes); the network policy
// considerations of the EKS user guide for aws-vpc-cni; np-guard/netpol-analyzer
// for np-guard (IP blocks stand for what is outside the cluster).
func Dialects() []Dialect {
	return []Dialect{
		{Name: "kubernetes", IPBlockMatchesPods: true, IPBlockMatchesNodes: true},
		{Name: "np-guard", IPBlockMatchesNodes: true},
		{Name: "cilium"},
		{Name: "cilium-nodes", IPBlockMatchesNodes: true},
		{Name: "aws-vpc-cni", IPBlockMatchesPods: true, IPBlockMatchesNodes: true, ServicePort: true},
	}
}

// DialectOf returns the dialect of that name, the default for "".
func DialectOf(name string) (Dialect, bool) {
	for _, d := range Dialects() {
		if d.Name == name || name == "" {
			return d, true
		}
	}
	return Dialect{}, false
}

// Endpoint is one end of a connection: a pod, or an address outside the
// cluster. IP is the pod's address where the connection is known to use one.
type Endpoint struct {
	Pod *Pod
	IP  netip.Addr
}

// String is "shop/cart" for a pod, else the address.
func (e Endpoint) String() string {
	if e.Pod != nil {
		return e.Pod.String()
	}
	return e.IP.String()
}

// owner is the workload at that end, nil for an address.
func (e Endpoint) owner() *Owner {
	if e.Pod == nil {
		return nil
	}
	return e.Pod.Owner
}

// withoutContainer is the workload that policies select: the pod's.
func withoutContainer(w policies.Workload) policies.Workload {
	w.Container = ""
	return w
}

// namespaceOf is where an object without a namespace ends up.
func namespaceOf(name string) string {
	if name == "" {
		return "default"
	}
	return name
}
