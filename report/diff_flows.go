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
		})
	}
	return list
}
