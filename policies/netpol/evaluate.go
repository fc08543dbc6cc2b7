package netpol

import (
	"fmt"
	"slices"
)

// Outcome of a connection under a set of policies.
type Outcome string

// The outcomes. OutcomeUnknown means that a fact is missing which decides.
const (
	Allowed        Outcome = "allowed"
	Forbidden      Outcome = "denied"
	OutcomeUnknown Outcome = "unknown"
)

// Connection is one connection to be judged.
type Connection struct {
	Source, Destination Endpoint
	Protocol            string
	Port                int // as the destination sees it
	// ServicePort is the port that was dialled, where a Service translates it;
	// 0 where it is the same. Only some dialects look at it.
	ServicePort int
}

// Verdict is what a set of policies makes of a connection.
type Verdict struct {
	Outcome Outcome  `json:"outcome"`
	Egress  Decision `json:"egress"`
	Ingress Decision `json:"ingress"`
}

// Decision is the verdict for one direction.
type Decision struct {
	Outcome Outcome `json:"outcome"`
	Reason  string  `json:"reason"`
	// Rule decides where a rule does; where the connection is denied it is the
	// nearest miss.
	Rule RuleRef `json:"rule,omitzero"`
	// Policies are those that select the subject for this direction.
	Policies []string `json:"policies,omitempty"`
	// Missing are the facts that would decide an unknown.
	Missing []string `json:"missing,omitempty"`
	// PodByAddress says that an ipBlock matched a pod's address, which not every
	// implementation does.
	PodByAddress bool `json:"podByAddress,omitempty"`
}

// Evaluator judges connections under one set of policies.
type Evaluator struct {
	inv     *Inventory
	dialect Dialect
	policy  map[string][]*Policy // by namespace
}

// NewEvaluator prepares a set of policies for many questions.
func NewEvaluator(policies []Policy, inv *Inventory, dialect Dialect) *Evaluator {
	e := &Evaluator{inv, dialect, make(map[string][]*Policy)}
	for i := range policies {
		ns := namespaceOf(policies[i].Namespace)
		e.policy[ns] = append(e.policy[ns], &policies[i])
	}
	return e
}

// Evaluate judges one connection.
func Evaluate(policies []Policy, inv *Inventory, c Connection, dialect Dialect) Verdict {
	return NewEvaluator(policies, inv, dialect).Evaluate(c)
}

// Evaluate judges one connection: it needs egress at its source and ingress at
// its destination.
func (e *Evaluator) Evaluate(c Connection) Verdict {
	if reason := exempt(c); reason != "" {
		d := Decision{Outcome: Allowed, Reason: reason}
		return Verdict{Allowed, d, d}
	}
	v := Verdict{Egress: e.egress(c), Ingress: e.decide(Ingress, c.Destination, c.Source, c)}
	v.Outcome = worse(v.Egress.Outcome, v.Ingress.Outcome)
	return v
}

// exempt says why no policy is asked. A pod cannot block itself, nor its node.
func exempt(c Connection) string {
	src, dst := c.Source, c.Destination
	switch {
	case src.Pod != nil && src.Pod == dst.Pod && src.Pod.Name != "":
		return "a pod can always reach itself"
	case (src.Pod == nil || src.Pod.onHost()) && dst.Pod != nil && slices.Contains(dst.Pod.HostIPs, src.IP):
		return "a pod can always be reached from its own node"
	}
	return ""
}

func worse(a, b Outcome) Outcome {
	switch {
	case a == Forbidden || b == Forbidden:
		return Forbidden
	case a == OutcomeUnknown || b == OutcomeUnknown:
		return OutcomeUnknown
	}
	return Allowed
}

// egress also asks for the Service's port where the dialect does.
func (e *Evaluator) egress(c Connection) Decision {
	d := e.decide(Egress, c.Source, c.Destination, c)
	translated := c.ServicePort != 0 && c.ServicePort != c.Port
	if !e.dialect.ServicePort || !translated || d.Outcome != Allowed {
		return d
	}
	before := c
	before.Port = c.ServicePort
	if b := e.decide(Egress, c.Source, c.Destination, before); b.Outcome != Allowed {
		b.Reason = fmt.Sprintf("before translation (port %d): %s", before.Port, b.Reason)
		return b
	}
	return d
}

// decide judges one direction.
func (e *Evaluator) decide(d Direction, subject, peer Endpoint, c Connection) Decision {
	switch {
	case subject.Pod == nil:
		return Decision{Outcome: Allowed, Reason: "policies do not govern addresses"}
	case subject.Pod.HostNetwork && !outside(subject.Pod):
		return Decision{Outcome: Allowed, Reason: "policies do not govern pods in the host's network"}
	}
	q := question{e, d, subject, peer, c, nil}
	return q.decide()
}

func outside(p *Pod) bool { return p.Owner != nil && p.Owner.Outside }

// question is one direction of one connection, gathering what is missing.
type question struct {
	*Evaluator
	direction     Direction
	subject, peer Endpoint
	connection    Connection
	missing       []string
}

// judged is what one policy makes of the question.
type judged struct {
	policy  *Policy
	applies truth
	best    match // of its rules
}

func (q *question) decide() Decision {
	var sure, unsure []judged
	for _, p := range q.policy[q.subject.Pod.Namespace] {
		if !p.governs(q.direction) {
			continue
		}
		j := judged{p, q.applies(p), match{}}
		if j.applies == no {
			continue
		}
		j.best = q.bestRule(p)
		if j.applies == yes {
			sure = append(sure, j)
		} else {
			unsure = append(unsure, j)
		}
	}
	return q.conclude(sure, unsure)
}

// conclude weighs the policies that surely select the subject and those that
// may. A rule allows; only the absence of every rule denies.
func (q *question) conclude(sure, unsure []judged) Decision {
	var d Decision
	for _, j := range slices.Concat(sure, unsure) {
		d.Policies = append(d.Policies, j.policy.String())
	}
	slices.Sort(d.Policies)
	best, all := match{}, yes
	for _, j := range sure {
		best = best.or(j.best)
	}
	possible := best.truth()
	for _, j := range unsure {
		possible = max(possible, j.best.truth())
		all = min(all, j.best.truth())
	}
	switch {
	case len(sure)+len(unsure) == 0:
		d.Outcome, d.Reason = Allowed, "not isolated: no policy selects it for "+rulesKey(q.direction)
	case best.truth() == yes:
		d.Outcome, d.Reason, d.Rule = Allowed, "allowed by a rule", best.rule.ref()
		d.PodByAddress = best.podByAddress
	case len(sure) == 0 && all == yes:
		d.Outcome, d.Reason = Allowed, "allowed by a rule of each policy that may select it"
	case len(sure) == 0 || possible != no:
		d.Outcome, d.Missing = OutcomeUnknown, q.missingFacts()
		d.Reason = "a fact is missing"
	default:
		d.Outcome = Forbidden
		d.Rule, d.Reason = q.nearest(sure, best)
	}
	return d
}

func (q *question) missingFacts() []string {
	slices.Sort(q.missing)
	return slices.Compact(q.missing)
}

// nearest words the denial: the rule that came nearest, and what kept it away.
func (q *question) nearest(sure []judged, best match) (RuleRef, string) {
	if best.rule.policy == nil {
		p := sure[0].policy
		for _, j := range sure[1:] {
			if j.policy.Name < p.Name {
				p = j.policy
			}
		}
		return p.ref(q.direction), "isolated, and no policy has a rule for " + rulesKey(q.direction)
	}
	return best.rule.ref(), best.missed(q)
}

// applies says whether the policy selects the subject.
func (q *question) applies(p *Policy) truth {
	t := matchSelector(&p.Spec.PodSelector, q.subject.Pod.labels())
	if t == maybe {
		q.missing = append(q.missing, "labels of "+q.subject.String())
	}
	return t
}

// bestRule returns the rule of a policy that comes nearest to a match.
func (q *question) bestRule(p *Policy) match {
	var best match
	for _, r := range p.rules(q.direction) {
		best = best.or(q.match(r))
	}
	return best
}
