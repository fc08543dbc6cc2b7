package netpol

import (
	"bytes"
	"fmt"
	"strings"
	"text/tabwriter"

	networkingv1 "k8s.io/api/networking/v1"
)

// List is what each workload may do, for people: one line a peer and set of
// ports, with what was assumed and what was left out. It is the only form that
// says something about workloads that no policy governs.
func (s Synthesis) List() ([]byte, error) {
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 4, 2, ' ', 0)
	for _, m := range s.made {
		fmt.Fprintf(w, "%s\n", m.owner.Workload)
		listRules(w, "  is reached from", m.policy, m.ingress)
		listRules(w, "  connects to", m.policy, m.egress)
	}
	if err := w.Flush(); err != nil {
		return nil, fmt.Errorf("writing the list of connections: %w", err)
	}
	for _, a := range s.Assumed {
		fmt.Fprintf(&out, "assumed: %s: %s\n", a.Workload, a.Text)
	}
	for _, u := range s.Unresolved {
		fmt.Fprintf(&out, "unresolved: %s: %s\n", u.Flow, u.Reason)
	}
	for _, n := range s.Notes {
		fmt.Fprintf(&out, "note: %s: %s\n", n.Workload, n.Text)
	}
	return out.Bytes(), nil
}

func listRules(w *tabwriter.Writer, verb string, policy networkingv1.NetworkPolicy,
	rules []draft) {
	if len(rules) == 0 {
		fmt.Fprintf(w, "%s\tnothing\n", verb)
	}
	for _, r := range rules {
		peers := "everyone"
		var names []string
		for _, p := range r.peers {
			names = append(names, peerWords(&Policy{NetworkPolicy: policy}, p))
		}
		if len(names) > 0 {
			peers = strings.Join(names, ", ")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", verb, peers, r.ports, strings.Join(r.comments, ", "))
	}
}
