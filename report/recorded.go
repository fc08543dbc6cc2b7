package report

import (
	"slices"

	"advisor/policies"
	"advisor/policies/caps"
)

// Recorded is the report of what was observed and the policies made from it,
// held against nothing.
func Recorded(advisor string, seen Observed, made []Policy, pods []caps.Standing) *Report {
	r := &Report{
		Schema: Schema, Advisor: advisor, Traces: seen.Traces, Findings: []policies.Finding{}, PodSecurity: pods,
	}
	for _, o := range seen.Observations {
		r.Workloads = append(r.Workloads, Workload{
			Workload: o.Workload, Observed: true, Evidence: o.Evidence,
		})
	}
	for _, bad := range seen.Bad {
		r.Problems = append(r.Problems, Problem{Message: bad.Error()})
	}
	for _, p := range made {
		r.addPolicy(p)
	}
	return r
}

// isFor says that a policy is for a container, or for the pod that it is in.
func (p Policy) isFor(w policies.Workload) bool {
	return w == p.Workload || p.Workload.Container == "" && samePod(w, p.Workload)
}

// addPolicy puts a policy with the workload it is for. One for a whole pod
// stands with its first container, one for a namespace by itself.
func (r *Report) addPolicy(p Policy) {
	at := slices.IndexFunc(r.Workloads, func(w Workload) bool { return p.isFor(w.Workload) })
	if at < 0 {
		at = len(r.Workloads)
		r.Workloads = append(r.Workloads, Workload{Workload: p.Workload})
	}
	r.Workloads[at].Policies = append(r.Workloads[at].Policies, p)
}
