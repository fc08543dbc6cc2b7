package netpol_test

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// The oracle decides one connection by reading the policies one by one, the
// slow and obvious way. It was written from the API's documentation
// (networking.k8s.io/v1, types.go) without a look at the package it checks,
// and shares no code with it.

// oraclePod is one end of a connection: a pod, or a bare address when
// namespace is empty.
type oraclePod struct {
	namespace   string
	labels      map[string]string
	ip          netip.Addr
	hostNetwork bool
	ports       []corev1.ContainerPort
}

type oracle struct {
	namespaces map[string]map[string]string // labels by name
	policies   []networkingv1.NetworkPolicy
}

// allowed says whether src may open a connection to port of dst.
func (o oracle) allowed(src, dst oraclePod, protocol corev1.Protocol, port int32) bool {
	return o.side(src, dst, dst, false, protocol, port) && o.side(dst, src, dst, true, protocol, port)
}

// side decides one direction for the pod that policies may select. Named ports
// are always those of the destination.
func (o oracle) side(subject, peer, dst oraclePod, ingress bool, protocol corev1.Protocol, port int32) bool {
	if subject.namespace == "" || subject.hostNetwork {
		return true
	}
	selected := false
	for _, p := range o.policies {
		if namespaceOf(p) != subject.namespace || !hasType(p, ingress) {
			continue
		}
		if !matches(&p.Spec.PodSelector, subject.labels) {
			continue
		}
		selected = true
		if ingress {
			for _, r := range p.Spec.Ingress {
				if o.peers(r.From, p, peer) && portsMatch(r.Ports, dst, protocol, port) {
					return true
				}
			}
			continue
		}
		for _, r := range p.Spec.Egress {
			if o.peers(r.To, p, peer) && portsMatch(r.Ports, dst, protocol, port) {
				return true
			}
		}
	}
	return !selected
}

func namespaceOf(p networkingv1.NetworkPolicy) string {
	if p.Namespace == "" {
		return "default"
	}
	return p.Namespace
}

// hasType: with no policyTypes, Ingress always and Egress if there is an
// egress rule.
func hasType(p networkingv1.NetworkPolicy, ingress bool) bool {
	if len(p.Spec.PolicyTypes) == 0 {
		return ingress || len(p.Spec.Egress) > 0
	}
	want := networkingv1.PolicyTypeEgress
	if ingress {
		want = networkingv1.PolicyTypeIngress
	}
	return slices.Contains(p.Spec.PolicyTypes, want)
}

func (o oracle) peers(peers []networkingv1.NetworkPolicyPeer, p networkingv1.NetworkPolicy, peer oraclePod) bool {
	if len(peers) == 0 {
		return true
	}
	for _, q := range peers {
		if o.peer(q, p, peer) {
			return true
		}
	}
	return false
}

func (o oracle) peer(q networkingv1.NetworkPolicyPeer, p networkingv1.NetworkPolicy, peer oraclePod) bool {
	if q.IPBlock != nil {
		if !netip.MustParsePrefix(q.IPBlock.CIDR).Contains(peer.ip) {
			return false
		}
		for _, except := range q.IPBlock.Except {
			if netip.MustParsePrefix(except).Contains(peer.ip) {
				return false
			}
		}
		return true
	}
	// Selectors match pods; a pod on the host's network is seen as its node.
	if peer.namespace == "" || peer.hostNetwork {
		return false
	}
	if q.NamespaceSelector == nil {
		if peer.namespace != namespaceOf(p) {
			return false
		}
	} else if !matches(q.NamespaceSelector, o.namespaceLabels(peer.namespace)) {
		return false
	}
	return q.PodSelector == nil || matches(q.PodSelector, peer.labels)
}

// namespaceLabels adds the label that every namespace carries.
func (o oracle) namespaceLabels(name string) map[string]string {
	labels := map[string]string{"kubernetes.io/metadata.name": name}
	for k, v := range o.namespaces[name] {
		labels[k] = v
	}
	return labels
}

func portsMatch(ports []networkingv1.NetworkPolicyPort, dst oraclePod, protocol corev1.Protocol, port int32) bool {
	if len(ports) == 0 {
		return true
	}
	for _, q := range ports {
		want := corev1.ProtocolTCP
		if q.Protocol != nil {
			want = *q.Protocol
		}
		if want == protocol && portMatches(q, dst, want, port) {
			return true
		}
	}
	return false
}

func portMatches(q networkingv1.NetworkPolicyPort, dst oraclePod, protocol corev1.Protocol, port int32) bool {
	switch {
	case q.Port == nil:
		return true
	case q.Port.Type == intstr.String:
		if dst.namespace == "" {
			return false
		}
		for _, cp := range dst.ports {
			of := cp.Protocol
			if of == "" {
				of = corev1.ProtocolTCP
			}
			if cp.Name == q.Port.StrVal && of == protocol && cp.ContainerPort == port {
				return true
			}
		}
		return false
	case q.EndPort != nil:
		return q.Port.IntVal <= port && port <= *q.EndPort
	}
	return q.Port.IntVal == port
}

func matches(s *metav1.LabelSelector, labels map[string]string) bool {
	for k, v := range s.MatchLabels {
		if got, ok := labels[k]; !ok || got != v {
			return false
		}
	}
	for _, e := range s.MatchExpressions {
		got, ok := labels[e.Key]
		in := ok && slices.Contains(e.Values, got)
		switch e.Operator {
		case metav1.LabelSelectorOpIn:
			if !in {
				return false
			}
		case metav1.LabelSelectorOpNotIn:
			if in {
				return false
			}
		case metav1.LabelSelectorOpExists:
			if !ok {
				return false
			}
		case metav1.LabelSelectorOpDoesNotExist:
			if ok {
				return false
			}
		}
	}
	return true
}
