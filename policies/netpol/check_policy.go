package netpol

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"advisor/policies"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// finding starts a finding about a policy or a part of it.
func (p *Policy) finding(class policies.Class, rule string, path ...any) policies.Finding {
	return policies.Finding{Class: class, Rule: "netpol/" + rule, Position: p.Position(path...),
		Workload: policies.Workload{Namespace: namespaceOf(p.Namespace), Kind: "NetworkPolicy",
			Name: p.Name}}
}

// checkPolicy judges one policy by itself and against the flows.
func (c *checker) checkPolicy(p *Policy) {
	subjects := c.subjects(p)
	c.checkSelects(p, subjects)
	complete := len(subjects) > 0
	for _, o := range subjects {
		complete = complete && c.observed[o]
	}
	for _, d := range []Direction{Ingress, Egress} {
		if !p.governs(d) {
			continue
		}
		for _, r := range p.rules(d) {
			c.checkRule(r)
			if complete {
				c.checkUse(r, subjects)
			}
		}
	}
}

// subjects are the workloads that the policy surely selects.
func (c *checker) subjects(p *Policy) []*Owner {
	var subjects []*Owner
	for _, pod := range c.inv.selected(namespaceOf(p.Namespace), &p.Spec.PodSelector) {
		if len(subjects) == 0 || subjects[len(subjects)-1] != pod.Owner {
			subjects = append(subjects, pod.Owner)
		}
	}
	return subjects
}

func (c *checker) checkSelects(p *Policy, subjects []*Owner) {
	inHost := 0
	for _, o := range subjects {
		if o.hostNetwork() {
			inHost++
		}
	}
	switch {
	case len(subjects) == 0 && c.knowsPods(namespaceOf(p.Namespace)):
		f := p.finding(policies.Invalid, "selects-nothing", "spec", "podSelector")
		f.Subject = selectorWords("all pods", "pods with ", &p.Spec.PodSelector)
		f.Message = "selects no workload of namespace " + namespaceOf(p.Namespace)
		c.add(f)
	case len(subjects) > 0 && inHost == len(subjects):
		f := p.finding(policies.Invalid, "no-op", "spec", "podSelector")
		f.Subject = "host network"
		f.Message = "selects only pods in the host's network, where policies do nothing"
		c.add(f)
	}
}

// knowsPods says that the inventory has a workload in the namespace: else that
// a selector matches nothing only means that little is known.
func (c *checker) knowsPods(namespace string) bool {
	return len(c.inv.sampled[namespace]) > 0
}

// checkRule judges a rule by its text.
func (c *checker) checkRule(r rule) {
	if r.isEmpty() {
		c.add(r.allowsEverything())
	}
	for i, peer := range r.peers {
		if peer.IPBlock != nil {
			c.checkSpelling(r, i, peer.IPBlock)
		} else if c.selectsNone(r, peer) {
			f := r.policy.finding(policies.Unknown, "peer-selects-nothing", r.peerPath(i)...)
			f.Subject = peerWords(r.policy, peer)
			f.Message = "no known pod matches this peer"
			c.add(f)
		}
	}
}

func (r rule) isEmpty() bool { return len(r.peers) == 0 && len(r.ports) == 0 }

// allowsEverything is the finding about an empty rule.
func (r rule) allowsEverything() policies.Finding {
	key := rulesKey(r.direction)
	f := r.policy.finding(policies.Excess, "allows-everything", "spec", key, r.index)
	f.Subject = fmt.Sprintf("%s[%d]", key, r.index)
	f.Message = "an empty rule allows every peer on every port; a dash with nothing behind it is one, too"
	f.Fingerprint = policies.Fingerprint(f)
	return f
}

// peerPath is where a peer stands in its policy.
func (r rule) peerPath(i int) []any {
	return []any{"spec", rulesKey(r.direction), r.index, peersKey(r.direction), i}
}

func (c *checker) checkSpelling(r rule, i int, b *networkingv1.IPBlock) {
	for _, text := range append([]string{b.CIDR}, b.Except...) {
		p, err := netip.ParsePrefix(text)
		if err != nil || p.Masked().String() == text {
			continue
		}
		f := r.policy.finding(policies.Invalid, "cidr-spelling", append(r.peerPath(i), "ipBlock")...)
		f.Subject = text
		f.Message = fmt.Sprintf("newer API servers refuse this spelling: it stands for %s", p.Masked())
		c.add(f)
	}
}

// selectsNone says that no pod that is known matches, in a namespace whose pods
// are known.
func (c *checker) selectsNone(r rule, peer networkingv1.NetworkPolicyPeer) bool {
	namespace, pinned := pinnedNamespace(r.policy, peer)
	if !pinned || !c.knowsPods(namespace) {
		return false
	}
	selector := peer.PodSelector
	if selector == nil {
		selector = &metav1.LabelSelector{}
	}
	for _, pod := range c.inv.selected(namespace, selector) {
		q := question{Evaluator: c.evaluator, peer: Endpoint{Pod: pod}}
		if q.matchPeer(r.policy, peer) != no {
			return false
		}
	}
	return !slices.ContainsFunc(c.inv.sampled[namespace], func(p *Pod) bool { return p.Partial })
}

func peerWords(p *Policy, peer networkingv1.NetworkPolicyPeer) string {
	if peer.IPBlock != nil {
		return blockText(peer.IPBlock)
	}
	namespace, _ := pinnedNamespace(p, peer)
	return symbolicName(namespace, peer)
}

// ruleWords describes a rule: the same for every spelling of it.
func ruleWords(r rule) string {
	var peers, ports []string
	for _, p := range r.peers {
		peers = insert(peers, peerWords(r.policy, p))
	}
	if len(peers) == 0 {
		peers = []string{"everyone"}
	}
	plain, names := splitPorts(r.ports)
	if !plain.Empty() {
		ports = []string{plain.String()}
	}
	for _, p := range names {
		ports = insert(ports, protocolOfPort(p)+" "+p.Port.StrVal)
	}
	return strings.Join(peers, ", ") + " : " + strings.Join(ports, ",")
}

// checkRedundant reports policies that allow nothing and isolate nothing that
// others do not. A default deny for a whole namespace is meant for what is to
// come, and left alone.
func (c *checker) checkRedundant() {
	w := newWalker([]Set{{c.declared, c.inv}}, c.evaluator.dialect)
	m := w.ports.memo()
	for i := range c.declared {
		p := &c.declared[i]
		if isEmpty(&p.Spec.PodSelector) || !w.tables[0].redundant(m, p) {
			continue
		}
		f := p.finding(policies.Excess, "redundant")
		f.Subject = "NetworkPolicy " + p.String()
		f.Message = "other policies allow the same: removing it changes nothing"
		c.add(f)
	}
}
