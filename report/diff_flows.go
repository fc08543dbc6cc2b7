package report

import (
	"advisor/policies"
	"advisor/policies/netpol"
)

// flowsOf are the observed flows and what the declared policies make of them.
func flowsOf(m Manifests, inv *netpol.Inventory, seen []policies.Observation, dialect netpol.Dialect) []Flow {
	flows, _ := netpol.Flows(seen, inv)
	evaluator := netpol.NewEvaluator(m.Netpol, inv, dialect)
	var list []Flow
	for _, f := range flows {
		verdict := evaluator.Evaluate(netpol.Connection{
			Source: f.Source, Destination: f.Destination, Protocol: f.Protocol, Port: f.Port, ServicePort: f.Via.Port,
		})
		list = append(list, Flow{
			From: f.Source.String(), To: f.Destination.String(), Protocol: f.Protocol, Port: f.Port,
			Via: f.Via.String(), Class: string(f.Class), Observed: true,
			Allowed: string(verdict.Outcome), Evidence: f.Evidence,
			Reason: verdictReason(verdict), Ungoverned: ungoverned(f, verdict),
		})
	}
	return append(list, unseenFlows(m, inv, flows, dialect)...)
}

// verdictReason is why a flow is allowed or denied: by the direction that
// decides or, where both allow it, by the one that a rule allows.
func verdictReason(v netpol.Verdict) string {
	for _, d := range []netpol.Decision{v.Ingress, v.Egress} {
		if v.Outcome != netpol.Allowed && d.Outcome == v.Outcome {
			return d.Reason
		}
	}
	for _, d := range []netpol.Decision{v.Ingress, v.Egress} {
		if rule := d.Rule.String(); rule != "" {
			return "allowed by " + rule
		}
	}
	return ""
}

// ungoverned says that neither end of a flow is isolated for it: nothing would
// stop it, nor anything else.
func ungoverned(f netpol.Flow, v netpol.Verdict) bool {
	return (governable(f.Source) || governable(f.Destination)) &&
		len(v.Ingress.Policies)+len(v.Egress.Policies) == 0
}

func governable(e netpol.Endpoint) bool {
	return e.Pod != nil && !e.Pod.HostNetwork && (e.Pod.Owner == nil || !e.Pod.Owner.Outside)
}
