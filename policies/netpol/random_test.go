package netpol_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// world is a small random cluster: few labels, names and addresses, so that
// rules hit, miss and overlap often.
type world struct {
	rng *rand.Rand
	oracle
	ends []oraclePod // pods and bare addresses
}

var (
	worldNamespaces = []string{"default", "shop", "ops"}
	worldKeys       = []string{"app", "tier"}
	worldValues     = []string{"a", "b", "c"}
	worldCIDRs      = []string{
		"10.0.0.0/8", "10.0.0.0/29", "10.0.0.2/32", "192.0.2.0/24", "192.0.2.128/25", "0.0.0.0/0",
		"2001:db8::/32", "2001:db8::1/128", "::/0",
	}
	worldPorts     = []int32{53, 80, 443, 8080, 8081, 65535}
	worldNames     = []string{"http", "dns", "metrics"}
	worldProtocols = []corev1.Protocol{corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP}
)

func newWorld(seed uint64) *world {
	w := &world{rng: rand.New(rand.NewPCG(seed, 1))}
	w.namespaces = map[string]map[string]string{}
	for _, ns := range worldNamespaces {
		w.namespaces[ns] = w.labels()
	}
	for i := range 6 + w.rng.IntN(4) {
		w.ends = append(w.ends, w.pod(i))
	}
	for _, ip := range []string{"192.0.2.7", "192.0.2.200", "198.51.100.1", "2001:db8::1", "2001:dead::9"} {
		w.ends = append(w.ends, oraclePod{ip: netip.MustParseAddr(ip)})
	}
	for i := range w.rng.IntN(6) {
		w.policies = append(w.policies, w.policy(i))
	}
	return w
}

func pick[T any](w *world, from []T) T { return from[w.rng.IntN(len(from))] }

func (w *world) chance(percent int) bool { return w.rng.IntN(100) < percent }

func (w *world) labels() map[string]string {
	labels := map[string]string{}
	for _, k := range worldKeys {
		if w.chance(70) {
			labels[k] = pick(w, worldValues)
		}
	}
	return labels
}

func (w *world) pod(i int) oraclePod {
	p := oraclePod{
		namespace:   pick(w, worldNamespaces),
		labels:      w.labels(),
		ip:          netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}),
		hostNetwork: w.chance(8),
	}
	if w.chance(20) {
		p.ip = netip.MustParseAddr(fmt.Sprintf("2001:db8::%d", i+1))
	}
	for _, name := range worldNames {
		if w.chance(50) {
			p.ports = append(p.ports, corev1.ContainerPort{
				Name: name, ContainerPort: pick(w, worldPorts), Protocol: pick(w, worldProtocols),
			})
		}
	}
	return p
}

func (w *world) policy(i int) networkingv1.NetworkPolicy {
	p := networkingv1.NetworkPolicy{}
	p.APIVersion, p.Kind = "networking.k8s.io/v1", "NetworkPolicy"
	p.Name, p.Namespace = fmt.Sprintf("p%d", i), pick(w, worldNamespaces)
	p.Spec.PodSelector = *w.selector()
	switch w.rng.IntN(4) {
	case 0: // left out: the default depends on the rules
	case 1:
		p.Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}
	case 2:
		p.Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeEgress}
	case 3:
		p.Spec.PolicyTypes = []networkingv1.PolicyType{
			networkingv1.PolicyTypeEgress, networkingv1.PolicyTypeIngress,
		}
	}
	for range w.rng.IntN(3) {
		p.Spec.Ingress = append(p.Spec.Ingress,
			networkingv1.NetworkPolicyIngressRule{From: w.peers(), Ports: w.ports()})
	}
	for range w.rng.IntN(3) {
		p.Spec.Egress = append(p.Spec.Egress,
			networkingv1.NetworkPolicyEgressRule{To: w.peers(), Ports: w.ports()})
	}
	return p
}

func (w *world) selector() *metav1.LabelSelector {
	s := &metav1.LabelSelector{}
	if w.chance(50) {
		s.MatchLabels = map[string]string{pick(w, worldKeys): pick(w, worldValues)}
	}
	if w.chance(35) {
		e := metav1.LabelSelectorRequirement{Key: pick(w, worldKeys)}
		e.Operator = pick(w, []metav1.LabelSelectorOperator{
			metav1.LabelSelectorOpIn, metav1.LabelSelectorOpNotIn,
			metav1.LabelSelectorOpExists, metav1.LabelSelectorOpDoesNotExist,
		})
		if e.Operator == metav1.LabelSelectorOpIn || e.Operator == metav1.LabelSelectorOpNotIn {
			e.Values = []string{pick(w, worldValues)}
			if other := pick(w, worldValues); other != e.Values[0] && w.chance(50) {
				e.Values = append(e.Values, other)
			}
		}
		s.MatchExpressions = append(s.MatchExpressions, e)
	}
	return s
}

// namespaceSelector now and then names the namespace itself.
func (w *world) namespaceSelector() *metav1.LabelSelector {
	if w.chance(40) {
		return &metav1.LabelSelector{MatchLabels: map[string]string{
			"kubernetes.io/metadata.name": pick(w, worldNamespaces)}}
	}
	return w.selector()
}

func (w *world) peers() []networkingv1.NetworkPolicyPeer {
	var peers []networkingv1.NetworkPolicyPeer
	for range w.rng.IntN(3) {
		var p networkingv1.NetworkPolicyPeer
		switch w.rng.IntN(4) {
		case 0:
			p.PodSelector = w.selector()
		case 1:
			p.NamespaceSelector = w.namespaceSelector()
		case 2:
			p.PodSelector, p.NamespaceSelector = w.selector(), w.namespaceSelector()
		case 3:
			p.IPBlock = w.block()
		}
		peers = append(peers, p)
	}
	return peers
}

// block holds only exceptions that are strictly inside its range, as the API
// server demands.
func (w *world) block() *networkingv1.IPBlock {
	b := &networkingv1.IPBlock{CIDR: pick(w, worldCIDRs)}
	outer := netip.MustParsePrefix(b.CIDR)
	for _, c := range worldCIDRs {
		inner := netip.MustParsePrefix(c)
		if w.chance(25) && inner.Bits() > outer.Bits() && outer.Overlaps(inner) {
			b.Except = append(b.Except, c)
		}
	}
	return b
}

func (w *world) ports() []networkingv1.NetworkPolicyPort {
	var ports []networkingv1.NetworkPolicyPort
	for range w.rng.IntN(3) {
		var p networkingv1.NetworkPolicyPort
		if w.chance(80) {
			protocol := pick(w, worldProtocols)
			p.Protocol = &protocol
		}
		switch w.rng.IntN(4) {
		case 0: // every port of the protocol
		case 1:
			name := intstr.FromString(pick(w, worldNames))
			p.Port = &name
		default:
			number := intstr.FromInt32(pick(w, worldPorts))
			p.Port = &number
			if w.chance(30) {
				end := min(number.IntVal+int32(w.rng.IntN(400)), 65535)
				p.EndPort = &end
			}
		}
		ports = append(ports, p)
	}
	return ports
}
