package netpol

import (
	"fmt"

	"advisor/policies"
	"advisor/policies/manifest"

	networkingv1 "k8s.io/api/networking/v1"
)

// Policy is a NetworkPolicy and where it stands.
type Policy struct {
	networkingv1.NetworkPolicy
	// Object is the manifest; its zero value for a policy that was generated.
	Object manifest.Object
}

// String is "shop/cart".
func (p *Policy) String() string { return namespaceOf(p.Namespace) + "/" + p.Name }

// Position is the place of a part of the policy, as far as known.
func (p *Policy) Position(path ...any) policies.Position {
	if p.Object.Kind == "" {
		return policies.Position{}
	}
	return p.Object.Position(path...)
}

// governs says whether the policy isolates the pods it selects in a direction.
// Without policyTypes it always does for ingress, and for egress if it has an
// egress rule.
func (p *Policy) governs(d Direction) bool {
	if len(p.Spec.PolicyTypes) == 0 {
		return d == Ingress || len(p.Spec.Egress) > 0
	}
	for _, t := range p.Spec.PolicyTypes {
		if string(t) == string(d) {
			return true
		}
	}
	return false
}

// rule is one ingress or egress rule: what both have in common.
type rule struct {
	policy    *Policy
	direction Direction
	index     int
	peers     []networkingv1.NetworkPolicyPeer
	ports     []networkingv1.NetworkPolicyPort
}

func (p *Policy) rules(d Direction) []rule {
	var rules []rule
	if d == Ingress {
		for i, r := range p.Spec.Ingress {
			rules = append(rules, rule{p, d, i, r.From, r.Ports})
		}
		return rules
	}
	for i, r := range p.Spec.Egress {
		rules = append(rules, rule{p, d, i, r.To, r.Ports})
	}
	return rules
}

// RuleRef names a rule of a policy. Its zero value names none.
type RuleRef struct {
	Namespace string            `json:"namespace"`
	Policy    string            `json:"policy"`
	Direction Direction         `json:"direction"`
	Index     int               `json:"index"` // from 0; -1 for the policy as a whole
	Position  policies.Position `json:"position,omitzero"`
}

// String is "shop/cart ingress[0] (file:line:column)".
func (r RuleRef) String() string {
	if r.Policy == "" {
		return ""
	}
	s := r.Namespace + "/" + r.Policy
	if r.Index >= 0 {
		s += fmt.Sprintf(" %s[%d]", rulesKey(r.Direction), r.Index)
	}
	if r.Position.File != "" {
		s += " (" + r.Position.String() + ")"
	}
	return s
}

// rulesKey is the key of a policy's spec that has the rules of a direction.
func rulesKey(d Direction) string {
	if d == Ingress {
		return "ingress"
	}
	return "egress"
}

// peersKey is the key of a rule that has the peers of a direction.
func peersKey(d Direction) string {
	if d == Ingress {
		return "from"
	}
	return "to"
}

func (r rule) ref() RuleRef {
	return RuleRef{namespaceOf(r.policy.Namespace), r.policy.Name, r.direction, r.index,
		r.policy.Position("spec", rulesKey(r.direction), r.index)}
}

func (p *Policy) ref(d Direction) RuleRef {
	return RuleRef{namespaceOf(p.Namespace), p.Name, d, -1, p.Position()}
}

// wrap makes policies of generated ones.
func wrap(generated []networkingv1.NetworkPolicy) []Policy {
	wrapped := make([]Policy, len(generated))
	for i, p := range generated {
		wrapped[i].NetworkPolicy = p
	}
	return wrapped
}
