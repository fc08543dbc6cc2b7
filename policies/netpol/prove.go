package netpol

import (
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/policies/netpol/portset"

	networkingv1 "k8s.io/api/networking/v1"
)

// Prove evaluates generated policies against the observation they came from:
// every observed flow is allowed after translation by Services, and between
// workloads nothing beyond them but the declared assumptions.
func Prove(s Synthesis, obs []policies.Observation, inv *Inventory) policies.Proof {
	dialect, _ := DialectOf(s.options.Dialect)
	flows, _ := Flows(obs, inv)
	p := &prover{Synthesis: s, inv: inv, dialect: dialect, proof: policies.Proof{Kind: "netpol"},
		evaluator: NewEvaluator(wrap(s.Policies), inv, dialect)}
	observed := p.flows(flows)
	pairs := p.pairs(flows)
	p.proof.Summary = fmt.Sprintf("%s allowed, nothing else between workloads (%d directed pairs)%s",
		count(observed, "observed flow"), pairs, p.exceptions())
	if n := len(p.proof.Failed); n > 0 {
		p.proof.Summary = fmt.Sprintf("not proven: %d of %s failed", n, count(p.proof.Checked, "check"))
	}
	return p.proof
}

type prover struct {
	Synthesis
	inv       *Inventory
	proof     policies.Proof
	dialect   Dialect
	evaluator *Evaluator
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// exceptions words what the proof leaves out.
func (p *prover) exceptions() string {
	var parts []string
	if n := len(p.Assumed); n > 0 {
		parts = append(parts, count(n, "declared assumption"))
	}
	omitted := 0
	for _, u := range p.Unresolved {
		if u.Omitted {
			omitted++
		}
	}
	if omitted > 0 {
		parts = append(parts, count(omitted, "flow")+" left out")
	}
	if n := len(p.Unresolved) - omitted; n > 0 {
		parts = append(parts, count(n, "unresolved peer")+" allowed by address only")
	}
	if len(parts) == 0 {
		return ""
	}
	return "; " + strings.Join(parts, ", ")
}

// flows checks that each observed flow is allowed.
func (p *prover) flows(flows []Flow) int {
	omitted := make(map[flowKey]bool)
	for _, u := range p.Unresolved {
		omitted[u.key] = omitted[u.key] || u.Omitted
	}
	checked := 0
	for _, f := range flows {
		if omitted[f.key()] {
			continue
		}
		checked++
		c := Connection{Source: f.Source, Destination: f.Destination, Protocol: f.Protocol, Port: f.Port}
		if p.options.ServicePorts == ServicePortsBoth {
			c.ServicePort = f.Via.Port
		}
		if v := p.evaluator.Evaluate(c); v.Outcome != Allowed {
			p.fail("observed %s is %s: egress %s, ingress %s",
				f, v.Outcome, v.Egress.Reason, v.Ingress.Reason)
		}
	}
	p.proof.Checked += checked
	return checked
}

func (p *prover) fail(format string, args ...any) {
	p.proof.Failed = append(p.proof.Failed, fmt.Sprintf(format, args...))
}

// pair is a workload and a peer in one direction.
type pair struct {
	direction     int
	subject, peer *Owner
}

// pairs checks that no policy allows more between two workloads than was
// observed or assumed. It looks at all ports at once, in the compiled form.
func (p *prover) pairs(flows []Flow) int {
	sets := []Set{{wrap(p.Policies), p.inv}, {assumptionPolicies(p.Synthesis), p.inv}}
	c := &pairCheck{prover: p, walker: newWalker(sets, p.dialect), observed: observedPairs(flows)}
	c.memo = c.ports.memo()
	for i := range c.first {
		owner := p.inv.Owner(c.entities[i].owner)
		if owner != nil && !owner.hostNetwork() {
			c.peers++
		} else {
			owner = nil // an address, or a peer that nobody has
		}
		c.owners = append(c.owners, owner)
	}
	checked := 0
	for i, owner := range c.owners {
		if owner != nil && p.names[owner] != "" {
			checked += c.subject(i, owner)
		}
	}
	slices.Sort(p.proof.Failed)
	p.proof.Checked += checked
	return checked
}

func observedPairs(flows []Flow) map[pair]portset.Set {
	observed := make(map[pair]portset.Set)
	for _, f := range flows {
		src, dst := f.Source.owner(), f.Destination.owner()
		ports := portset.Of(f.Protocol, f.Port, f.Port)
		for _, k := range []pair{{egressIndex, src, dst}, {ingressIndex, dst, src}} {
			observed[k] = observed[k].Union(ports)
		}
	}
	return observed
}

type pairCheck struct {
	*prover
	*walker
	memo     *memo
	observed map[pair]portset.Set
	owners   []*Owner // by entity; nil for what is no workload that policies govern
	peers    int      // how many are not nil
}

// subject checks one workload against all others, and returns how many.
func (c *pairCheck) subject(i int, owner *Owner) int {
	checked := 0
	for d, word := range []string{ingressIndex: "ingress", egressIndex: "egress"} {
		if !c.tables[0].subjects[d][i].isolated {
			c.fail("%s is not isolated for %s", owner.Workload, word)
			continue
		}
		checked += c.peers
		if !c.entities[i].many {
			checked-- // a single pod with itself
		}
		assumed := c.row(1, d, i)
		for j, allowed := range c.row(0, d, i) {
			if j >= len(c.owners) || c.owners[j] == nil || i == j && !c.entities[i].many {
				continue // not a workload, or a single pod with itself
			}
			extra := c.ports.set(allowed).Minus(c.ports.set(assumed[j])).
				Minus(c.observed[pair{d, owner, c.owners[j]}])
			if !extra.Empty() {
				c.fail("%s of %s: %s with %s was not observed, but is allowed",
					word, owner.Workload, extra, c.owners[j].Workload)
			}
		}
	}
	return checked
}

// row is what the rules of a table allow one subject, by peer: nothing for
// those that are not in it.
func (c *pairCheck) row(table, direction, subject int) map[int]int32 {
	row := make(map[int]int32)
	for _, t := range c.tables[table].subjects[direction][subject].terms {
		t.peers.each(func(j int) { row[j] = c.memo.union(row[j], t.ports) })
	}
	return row
}

// assumptionPolicies are policies that allow just the declared assumptions and
// unresolved peers, in the shape of the policies that they are part of.
func assumptionPolicies(s Synthesis) []Policy {
	byWorkload := make(map[policies.Workload]*networkingv1.NetworkPolicy)
	for i := range s.Policies {
		byWorkload[s.Workload(i)] = &s.Policies[i]
	}
	var list []Policy
	for _, a := range s.Assumed {
		generated := byWorkload[a.Workload]
		if generated == nil {
			continue
		}
		p := Policy{}
		p.Namespace, p.Name = generated.Namespace, generated.Name
		p.Spec.PodSelector = generated.Spec.PodSelector
		p.Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyType(a.Direction)}
		p.addRule(a.Direction, a.Peer, a.Ports)
		list = append(list, p)
	}
	return list
}

func (p *Policy) addRule(d Direction, peer *networkingv1.NetworkPolicyPeer, ports portset.Set) {
	var peers []networkingv1.NetworkPolicyPeer
	if peer != nil {
		peers = append(peers, *peer)
	}
	if ports.Empty() {
		return
	}
	if d == Ingress {
		p.Spec.Ingress = append(p.Spec.Ingress,
			networkingv1.NetworkPolicyIngressRule{From: peers, Ports: portList(ports)})
		return
	}
	p.Spec.Egress = append(p.Spec.Egress,
		networkingv1.NetworkPolicyEgressRule{To: peers, Ports: portList(ports)})
}
