package netpol

import (
	"fmt"
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
	p := &prover{Synthesis: s, inv: inv, proof: policies.Proof{Kind: "netpol"},
		evaluator: NewEvaluator(wrap(s.Policies), inv, dialect),
		assumed:   NewEvaluator(assumptionPolicies(s), inv, dialect)}
	observed := p.flows(flows)
	pairs := p.pairs(flows)
	p.proof.Summary = fmt.Sprintf("%s allowed, nothing else between workloads (%d directed pairs)%s",
		count(observed, "observed flow"), pairs, p.exceptions())
	if n := len(p.proof.Failed); n > 0 {
		p.proof.Summary = fmt.Sprintf("%s of %d checks failed", count(n, "fact"), p.proof.Checked)
	}
	return p.proof
}

type prover struct {
	Synthesis
	inv       *Inventory
	proof     policies.Proof
	evaluator *Evaluator
	assumed   *Evaluator
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
		parts = append(parts, count(n, "unresolved peer")+" by address")
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
	direction     Direction
	subject, peer *Owner
}

// pairs checks that no policy allows more between two workloads than was
// observed or assumed.
func (p *prover) pairs(flows []Flow) int {
	observed := make(map[pair]portset.Set)
	for _, f := range flows {
		src, dst := f.Source.owner(), f.Destination.owner()
		ports := portset.Of(f.Protocol, f.Port, f.Port)
		for _, k := range []pair{{Egress, src, dst}, {Ingress, dst, src}} {
			observed[k] = observed[k].Union(ports)
		}
	}
	candidates := p.ports()
	checked := 0
	for _, subject := range p.inv.Owners {
		if p.names[subject] == "" {
			continue
		}
		for _, peer := range p.inv.Owners {
			for _, d := range []Direction{Egress, Ingress} {
				checked++
				p.pair(pair{d, subject, peer}, candidates, observed[pair{d, subject, peer}])
			}
		}
	}
	p.proof.Checked += checked
	return checked
}

// ports are all that the policies name: what is allowed at none of them is
// allowed nowhere, since each policy isolates both directions.
func (p *prover) ports() portset.Set {
	var all portset.Set
	for i := range p.Policies {
		policy := Policy{NetworkPolicy: p.Policies[i]}
		for _, r := range append(policy.rules(Ingress), policy.rules(Egress)...) {
			for _, port := range r.ports {
				n := port.Port.IntValue()
				all = all.Union(portset.Of(protocolOfPort(port), n, n))
			}
		}
	}
	return all
}

func (p *prover) pair(k pair, candidates, observed portset.Set) {
	for _, subject := range k.subject.sample() {
		for _, peer := range k.peer.sample() {
			if subject == peer || k.subject.hostNetwork() || k.peer.hostNetwork() {
				continue
			}
			for _, port := range portList(candidates.Minus(observed)) {
				p.denied(k, subject, peer, string(*port.Protocol), port.Port.IntValue())
			}
		}
	}
}

func (p *prover) denied(k pair, subject, peer *Pod, protocol string, port int) {
	c := Connection{Source: Endpoint{Pod: subject}, Destination: Endpoint{Pod: peer},
		Protocol: protocol, Port: port}
	if k.direction == Ingress {
		c.Source, c.Destination = c.Destination, c.Source
	}
	judge := func(e *Evaluator) Decision {
		return e.decide(k.direction, Endpoint{Pod: subject}, Endpoint{Pod: peer}, c)
	}
	d := judge(p.evaluator)
	if d.Outcome != Allowed || len(d.Policies) == 0 {
		return
	}
	if a := judge(p.assumed); a.Outcome == Allowed && len(a.Policies) > 0 {
		return
	}
	p.fail("%s %s %s %d was not observed, but %s allows it",
		c.Source, "->", c.Destination.String()+" "+protocol, port, d.Rule)
}

// assumptionPolicies are policies that allow just the declared assumptions and
// unresolved peers, in the shape of the policies that they are part of.
func assumptionPolicies(s Synthesis) []Policy {
	var list []Policy
	for _, a := range s.Assumed {
		for i := range s.Policies {
			generated := &s.Policies[i]
			if generated.Annotations[annotationWorkload] != a.Workload.Kind+"/"+a.Workload.Name {
				continue
			}
			p := Policy{}
			p.Namespace, p.Name = generated.Namespace, generated.Name
			p.Spec.PodSelector = generated.Spec.PodSelector
			p.Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyType(a.Direction)}
			p.addRule(a.Direction, a.Peer, a.Ports)
			list = append(list, p)
		}
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
