package netpol

import (
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
)

// Check holds declared policies against what was observed, and against
// themselves. Its rules are, by class:
//
//	missing      netpol/missing-flow        observed, and a policy denies it
//	invalid      netpol/selects-nothing     selects no workload of its namespace
//	             netpol/no-op               selects only pods in the host's network
//	             netpol/cidr-spelling       a CIDR that newer API servers refuse
//	unprotected  netpol/not-isolated        no policy selects the workload
//	excess       netpol/unused-rule         allows what was never observed
//	             netpol/unused-peer, netpol/unused-port   a part of a rule does
//	             netpol/wide-peer, netpol/wide-port   a part holds far more than
//	                                        was observed: a range of addresses or
//	                                        ports, a selector, a rule for everyone
//	             netpol/allows-everything   an empty rule
//	             netpol/redundant           removing the policy changes nothing
//	unknown      netpol/unknown-flow        a fact is missing that decides
//	             netpol/unresolved-peer     who the peer was is not known
//	             netpol/by-address          hangs on an ipBlock matching a pod
//	             netpol/peer-selects-nothing  a peer that no known pod matches
//	             netpol/other-policies      policies that the verdicts ignore
//
// Excess is judged only where every workload that a policy selects was
// observed. What a policy declares to assume, in its annotations, is not excess:
// a set made of a trace has none against that trace. The result is sorted; its fingerprints survive reformatting.
func Check(declared []Policy, inv *Inventory, obs []policies.Observation, d Dialect,
) []policies.Finding {
	c := newChecker(declared, inv, obs, d)
	c.check()
	slices.SortFunc(c.found, policies.Finding.Compare)
	return c.found
}

func newChecker(declared []Policy, inv *Inventory, obs []policies.Observation, d Dialect) *checker {
	if d.Name == "" {
		d, _ = DialectOf("")
	}
	c := &checker{inv: inv, declared: declared, evaluator: NewEvaluator(declared, inv, d),
		observed: make(map[*Owner]bool), selected: make(map[string][]*Pod)}
	c.flows, _ = Flows(obs, inv)
	c.byOwner = flowsByOwner(c.flows)
	for _, o := range observedOwners(obs, inv) {
		c.observed[o] = true
	}
	return c
}

func (c *checker) check() {
	c.checkFlows()
	c.checkIsolation()
	for i := range c.declared {
		c.checkPolicy(&c.declared[i])
	}
	c.checkRedundant()
	c.checkOthers()
}

type checker struct {
	inv       *Inventory
	declared  []Policy
	evaluator *Evaluator
	flows     []Flow
	observed  map[*Owner]bool
	byOwner   map[*Owner][]*Flow // with the workload at either end
	selected  map[string][]*Pod  // a pod of each workload, by the text of a peer
	found     []policies.Finding
	remedies  []Remedy
}

// add keeps a finding, and returns it with its fingerprint.
func (c *checker) add(f policies.Finding) policies.Finding {
	f.Fingerprint = policies.Fingerprint(f)
	c.found = append(c.found, f)
	return f
}

// checkFlows judges every observed flow.
func (c *checker) checkFlows() {
	for _, f := range c.flows {
		if f.Class == Unresolved {
			c.unresolved(f)
		}
		v := c.evaluator.Evaluate(Connection{Source: f.Source, Destination: f.Destination,
			Protocol: f.Protocol, Port: f.Port, ServicePort: f.Via.Port})
		c.decided(f, Egress, v.Egress)
		c.decided(f, Ingress, v.Ingress)
	}
}

func (c *checker) unresolved(f Flow) {
	subject, peer := f.Source, "-> "+f.Destination.String()
	if subject.Pod == nil {
		subject, peer = f.Destination, "<- "+f.Source.String()
	}
	c.add(policies.Finding{Class: policies.Unknown, Rule: "netpol/unresolved-peer",
		Workload: subject.owner().Workload, Subject: flowSubject(f, peer),
		Message: "the peer is not known: " + f.Reason, Evidence: flowEvidence(f)})
}

func flowSubject(f Flow, peer string) string {
	return fmt.Sprintf("%s %s/%d", peer, f.Protocol, f.Port)
}

// decided reports what one direction's decision on a flow is worth saying.
func (c *checker) decided(f Flow, direction Direction, d Decision) {
	subject, peer := f.Source, "-> "+f.Destination.String()
	if direction == Ingress {
		subject, peer = f.Destination, "<- "+f.Source.String()
	}
	if subject.owner() == nil {
		return
	}
	found := policies.Finding{Workload: subject.owner().Workload, Subject: flowSubject(f, peer),
		Position: d.Rule.Position, Evidence: flowEvidence(f)}
	switch {
	case d.Outcome == Forbidden:
		found.Class, found.Rule = policies.Missing, "netpol/missing-flow"
		found.Message = "observed, but " + d.Reason
		found.Evidence = append(found.Evidence, "nearest: "+d.Rule.String())
		c.allow(c.add(found), f, direction, subject, d.Rule.Policy)
		return
	case d.Outcome == OutcomeUnknown:
		found.Class, found.Rule = policies.Unknown, "netpol/unknown-flow"
		found.Message = "cannot be decided without the " + strings.Join(d.Missing, ", the ")
	case d.PodByAddress:
		found.Class, found.Rule = policies.Unknown, "netpol/by-address"
		found.Message = "allowed only if an ipBlock matches the address of a pod, " +
			"which not every implementation does"
	default:
		return
	}
	c.add(found)
}

// flowEvidence words who saw the flow.
func flowEvidence(f Flow) []string {
	e := f.Evidence
	line := "seen by " + strings.Join(e.Ends, " and ")
	if len(e.Comms) > 0 {
		line += " of " + strings.Join(e.Comms, ", ")
	}
	if e.Count > 0 {
		line += fmt.Sprintf(", %d times", e.Count)
	}
	lines := []string{line}
	if via := f.Via.String(); via != "" {
		lines = append(lines, "through Service "+via)
	}
	if e.Refused {
		lines = append(lines, "the peer refused it")
	}
	return lines
}

// checkIsolation reports observed and declared workloads that no policy
// selects in some direction.
func (c *checker) checkIsolation() {
	for _, o := range c.inv.Owners {
		relevant := c.observed[o] || o.Template != nil
		if !relevant || o.Outside || o.hostNetwork() || isSystem(o.namespace()) {
			continue
		}
		var open []string
		for _, d := range []Direction{Ingress, Egress} {
			if !c.isolated(o, d) {
				open = append(open, rulesKey(d))
			}
		}
		if len(open) > 0 {
			c.add(policies.Finding{Class: policies.Unprotected, Rule: "netpol/not-isolated",
				Workload: o.Workload, Subject: strings.Join(open, " and "), Position: o.Position,
				Message: "no policy selects it for " + strings.Join(open, " and ") +
					": everything is allowed"})
		}
	}
}

// isolated says that a policy may select every pod of the workload.
func (c *checker) isolated(o *Owner, d Direction) bool {
	for _, pod := range o.sample() {
		covered := slices.ContainsFunc(c.evaluator.policy[o.namespace()], func(p *Policy) bool {
			return p.governs(d) && matchSelector(&p.Spec.PodSelector, pod.labels()) != no
		})
		if !covered {
			return false
		}
	}
	return true
}

// checkOthers says which policies the verdicts do not take into account.
func (c *checker) checkOthers() {
	for _, o := range c.inv.Others {
		c.add(policies.Finding{Class: policies.Unknown, Rule: "netpol/other-policies",
			Workload: policies.Workload{Namespace: o.Namespace, Kind: o.Kind, Name: o.Name},
			Subject:  o.Kind, Position: o.Position(),
			Message: o.APIVersion + " has semantics of its own: the verdicts here ignore it"})
	}
}
