package netpol

import (
	"fmt"
	"slices"
	"strings"

	"advisor/policies"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// eksPorts is the limit of unique ports for one selector or CIDR in the EKS
// user guide's considerations for network policies.
const eksPorts = 24

// networkOff is why the traffic of a workload was not recorded in some trace,
// or "".
func networkOff(o *Owner, obs []policies.Observation) string {
	for i := range obs {
		w := withoutContainer(obs[i].Workload)
		if w.Name != o.Workload.Name || w.Kind != o.Workload.Kind {
			continue
		}
		for _, off := range obs[i].Evidence.Off {
			if reason, ok := strings.CutPrefix(off, "network: "); ok {
				return reason
			}
		}
	}
	return ""
}

// noteClosed says which direction ends up closed, and why.
func (b *builder) noteClosed() {
	if len(b.ingress) == 0 {
		b.note(b.owner, "ingress closed: nothing was seen to connect to it")
	}
	if len(b.egress) == 0 {
		b.note(b.owner, "egress closed: it was not seen to connect to anything")
	}
	if b.owner.Outside {
		b.assume(Assumption{What: "selector", Text: fmt.Sprintf(
			"label app=%s and namespace %s: it does not run in Kubernetes, so this is a draft",
			labelValue(b.owner.Workload.Name), b.owner.namespace())})
	}
}

// noteReplicas names what only one of several replicas was seen to do: it may be
// the rule, as of a leader, or have happened once. A client from outside comes
// to the one replica that it is balanced to, and says nothing.
func (b *builder) noteReplicas(flows []*Flow) {
	replicas := 0
	for _, p := range b.owner.Pods {
		if p.recorded {
			replicas++
		}
	}
	var once []string
	for _, f := range flows {
		for _, end := range []struct {
			direction Direction
			owner     *Owner
		}{{Egress, f.Source.owner()}, {Ingress, f.Destination.owner()}} {
			client := end.direction == Ingress && f.Source.Pod == nil
			if end.owner == b.owner && !client && f.Evidence.Replicas(end.direction) == 1 {
				once = insert(once, f.String())
			}
		}
	}
	if replicas > 1 && len(once) > 0 {
		b.note(b.owner, "low confidence, seen by one of %d replicas only: %s", replicas, fewOf(once))
	}
}

// noteLimits warns of limits that implementations document.
func (b *builder) noteLimits(rules []draft) {
	for _, r := range rules {
		if n := len(portList(r.ports)); n > eksPorts {
			b.note(b.owner, "a rule has %d ports: the AWS VPC CNI documents at most %d for a peer",
				n, eksPorts)
		}
	}
}

// noteShared says that the policy selects other pods too: what it allows them
// is an assumption.
func (b *builder) noteShared(selector *metav1.LabelSelector) {
	if !b.inv.selectsOthers(b.owner, selector) {
		return
	}
	b.note(b.owner, "its labels do not tell its pods from another workload's: both get this policy")
	for _, g := range slices.Concat(b.ingress, b.egress) {
		b.assume(Assumption{Direction: g.direction, What: "shared-labels", Peer: g.peer, Ports: g.ports,
			Text: g.comment + " also for the other workload with these labels"})
	}
}

// noPolicy says why a workload gets no policy, or "".
func (s *Synthesis) noPolicy(o *Owner, selector *metav1.LabelSelector) string {
	switch {
	case o.hostNetwork():
		return "its pods are in the host's network, where policies do nothing"
	case isSystem(o.namespace()) && !s.options.SystemNamespaces && !o.Outside:
		return "its namespace belongs to the platform"
	case selector == nil:
		return "no stable label tells its pods apart, " +
			"and an empty selector would select the whole namespace"
	}
	return ""
}
