package report

import (
	"fmt"
	"strings"

	"advisor/policies"
)

// UnprovenError is a policy that does not hold against the observation it was
// made from. It is never shown.
type UnprovenError struct {
	Kind     string
	Workload policies.Workload
	Proof    policies.Proof
}

// Error names the first things that the policy gets wrong.
func (e *UnprovenError) Error() string {
	failed := e.Proof.Failed
	more := ""
	if len(failed) > 3 {
		more = fmt.Sprintf(" and %d more", len(failed)-3)
		failed = failed[:3]
	}
	return fmt.Sprintf("the %s policy of %s fails its proof: %s%s",
		e.Kind, e.Workload, strings.Join(failed, "; "), more)
}

// proven gives the policy back only where its proof holds.
func (p Policy) proven() (Policy, error) {
	if !p.Proof.OK() {
		return Policy{}, &UnprovenError{p.Kind, p.Workload, p.Proof}
	}
	return p, nil
}
