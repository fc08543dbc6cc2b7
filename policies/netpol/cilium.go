package netpol

import (
	"fmt"
	"slices"
	"strings"

	"advisor/policies/manifest"

	"go.yaml.in/yaml/v3"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ciliumPolicy is the part of a CiliumNetworkPolicy (cilium.io/v2) that is
// written here. Source of the fields and of their meaning: the network policy
// chapter of the Cilium documentation.
type ciliumPolicy struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Metadata   ciliumMetadata `json:"metadata"`
	Spec       ciliumSpec     `json:"spec"`
}

type ciliumMetadata struct {
	Name        string            `json:"name"`
	Namespace   string            `json:"namespace"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type ciliumSpec struct {
	EndpointSelector metav1.LabelSelector `json:"endpointSelector"`
	// A direction with one empty rule is closed; without rules it is open.
	Ingress []ciliumRule `json:"ingress"`
	Egress  []ciliumRule `json:"egress"`
}

// ciliumRule is an ingress or an egress rule: one set of its fields is used.
type ciliumRule struct {
	FromEndpoints []metav1.LabelSelector `json:"fromEndpoints,omitempty"`
	FromCIDR      []string               `json:"fromCIDR,omitempty"`
	FromEntities  []string               `json:"fromEntities,omitempty"`
	ToEndpoints   []metav1.LabelSelector `json:"toEndpoints,omitempty"`
	ToCIDR        []string               `json:"toCIDR,omitempty"`
	ToEntities    []string               `json:"toEntities,omitempty"`
	ToPorts       []ciliumPorts          `json:"toPorts,omitempty"`
}

type ciliumPorts struct {
	Ports []ciliumPort `json:"ports"`
}

type ciliumPort struct {
	Port     string `json:"port"`
	Protocol string `json:"protocol"`
}

// Cilium is the policies as CiliumNetworkPolicies. They say the same where both
// languages can; Cilium's CIDR rules match no node and not the API server, so
// these become the entities that do, which is wider and is said in a comment.
func (s Synthesis) Cilium() ([]Document, error) {
	var documents []Document
	for _, m := range s.made {
		p := newCiliumPolicy(m)
		text, err := s.commented(p, func(root *yaml.Node) {
			spec := manifest.ValueOf(root, "spec")
			commentCilium(manifest.ValueOf(spec, "ingress"), m.ingress)
			commentCilium(manifest.ValueOf(spec, "egress"), m.egress)
		})
		if err != nil {
			return nil, fmt.Errorf("writing CiliumNetworkPolicy %s/%s: %w",
				m.policy.Namespace, m.policy.Name, err)
		}
		documents = append(documents, Document{s.path(&m.policy), m.owner.Workload, text})
	}
	slices.SortFunc(documents, func(a, b Document) int { return strings.Compare(a.Path, b.Path) })
	return documents, nil
}

func newCiliumPolicy(m made) ciliumPolicy {
	p := ciliumPolicy{APIVersion: "cilium.io/v2", Kind: "CiliumNetworkPolicy",
		Metadata: ciliumMetadata{m.policy.Name, m.policy.Namespace, m.policy.Labels,
			m.policy.Annotations}}
	p.Spec.EndpointSelector = m.policy.Spec.PodSelector
	p.Spec.Ingress, p.Spec.Egress = []ciliumRule{}, []ciliumRule{}
	for _, r := range m.ingress {
		for _, part := range ciliumParts(r) {
			p.Spec.Ingress = append(p.Spec.Ingress, ciliumRule{FromEndpoints: part.endpoints,
				FromCIDR: part.cidrs, FromEntities: part.entities, ToPorts: ciliumPortList(r)})
		}
	}
	for _, r := range m.egress {
		for _, part := range ciliumParts(r) {
			p.Spec.Egress = append(p.Spec.Egress, ciliumRule{ToEndpoints: part.endpoints,
				ToCIDR: part.cidrs, ToEntities: part.entities, ToPorts: ciliumPortList(r)})
		}
	}
	for _, rules := range []*[]ciliumRule{&p.Spec.Ingress, &p.Spec.Egress} {
		if len(*rules) == 0 {
			*rules = []ciliumRule{{}}
		}
	}
	return p
}

// ciliumPeers is peers of one kind: Cilium does not mix them in a rule.
type ciliumPeers struct {
	endpoints       []metav1.LabelSelector
	cidrs, entities []string
	wider           bool
}

// ciliumParts splits the peers of a rule by kind. A rule for every peer is one
// part with no peer.
func ciliumParts(r draft) []ciliumPeers {
	if len(r.peers) == 0 {
		return []ciliumPeers{{}}
	}
	var pods, addresses, entities ciliumPeers
	for _, p := range r.peers {
		switch {
		case p.IPBlock == nil:
			pods.endpoints = append(pods.endpoints, ciliumSelector(p))
		case r.classOf(p) == APIServer:
			entities.entities = insert(entities.entities, "kube-apiserver")
		case r.classOf(p) == OnNode:
			entities.entities = insert(entities.entities, "host", "remote-node")
			entities.wider = true
		default:
			addresses.cidrs = append(addresses.cidrs, p.IPBlock.CIDR)
		}
	}
	var parts []ciliumPeers
	for _, part := range []ciliumPeers{pods, entities, addresses} {
		if len(part.endpoints)+len(part.cidrs)+len(part.entities) > 0 {
			parts = append(parts, part)
		}
	}
	return parts
}

// classOf is the class of the flow behind an address of the rule.
func (r draft) classOf(p networkingv1.NetworkPolicyPeer) Class {
	block, err := parseCIDR(p.IPBlock.CIDR)
	for _, f := range r.flows {
		for _, e := range []Endpoint{f.Source, f.Destination} {
			if err == nil && e.IP.IsValid() && block.Contains(e.IP) {
				return f.Class
			}
		}
	}
	return Plain
}

// ciliumNamespace is the label that a pod's namespace has for Cilium.
const ciliumNamespace = "k8s:io.kubernetes.pod.namespace"

func ciliumSelector(p networkingv1.NetworkPolicyPeer) metav1.LabelSelector {
	s := *p.PodSelector.DeepCopy()
	if p.NamespaceSelector != nil {
		s.MatchLabels = merged(s.MatchLabels,
			map[string]string{ciliumNamespace: p.NamespaceSelector.MatchLabels[nameLabel]})
	}
	return s
}

func ciliumPortList(r draft) []ciliumPorts {
	var ports []ciliumPort
	for _, p := range portList(r.ports) {
		ports = append(ports, ciliumPort{p.Port.String(), string(*p.Protocol)})
	}
	return []ciliumPorts{{ports}}
}

// commentCilium writes the comment of each rule above its first part.
func commentCilium(rules *yaml.Node, drafts []draft) {
	at := 0
	for _, r := range drafts {
		for i, part := range ciliumParts(r) {
			text := strings.Join(r.comments, ", ")
			if i > 0 {
				text = "the same, other peers"
			}
			if part.wider {
				text += " (any node: a CIDR does not match nodes here)"
			}
			commentRule(rules, at, text)
			at++
		}
	}
}
