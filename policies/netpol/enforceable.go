package netpol

import (
	"fmt"

	"advisor/policies"
)

// DialectError lists observed flows that no NetworkPolicy can allow in a
// dialect in which addresses do not match nodes, or pods.
type DialectError struct {
	Dialect string
	Flows   []string // at least one
}

// Error names the first of them.
func (e *DialectError) Error() string {
	return fmt.Sprintf("where %s enforces it, no NetworkPolicy can allow %s: an ipBlock does not match such a peer there",
		e.Dialect, fewOf(e.Flows))
}

// Enforceable returns a [DialectError] where the policies would be good, were
// it not for the dialect.
func (s Synthesis) Enforceable(obs []policies.Observation, inv *Inventory) error {
	dialect, _ := DialectOf(s.options.Dialect)
	plain, _ := DialectOf("")
	flows, _ := Flows(obs, inv)
	there := NewEvaluator(wrap(s.Policies), inv, dialect)
	here := NewEvaluator(wrap(s.Policies), inv, plain)
	e := &DialectError{Dialect: dialect.Name}
	for _, f := range flows {
		c := Connection{Source: f.Source, Destination: f.Destination, Protocol: f.Protocol, Port: f.Port}
		if there.Evaluate(c).Outcome != Allowed && here.Evaluate(c).Outcome == Allowed {
			e.Flows = append(e.Flows, f.String())
		}
	}
	if len(e.Flows) > 0 {
		return e
	}
	return nil
}
