package netpol

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/policies/netpol/portset"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Annotations and label of a generated policy.
const (
	annotationWorkload = "advisor/workload"
	annotationEvidence = "advisor/evidence"
	annotationAssumed  = "advisor/assumed" // what nobody observed, with commas
	// annotationAggregate is the bound within which addresses were merged, as
	// [ParseAggregation] reads it.
	annotationAggregate = "advisor/cidr-aggregate"
	// annotationNodes is the ranges, with commas, that are assumed to be nodes'.
	annotationNodes = "advisor/node-cidr"
	// annotationDNS is the ports, with commas, that nameservers are assumed to
	// answer on, beside the usual ones.
	annotationDNS = "advisor/dns-port"
	managedBy     = "app.kubernetes.io/managed-by"
)

// Synthesis is policies that allow what was observed, and why.
type Synthesis struct {
	// Policies are sorted by namespace and name, one a workload.
	Policies []networkingv1.NetworkPolicy
	Reasons  []Reason // one for each rule, in the order of Policies
	Assumed  []Assumption
	// Unresolved are the flows whose peer may be a pod that is not known.
	Unresolved []UnresolvedFlow
	Notes      []Note
	options    Options
	names      map[*Owner]string // of the workloads that have a policy
	made       []made            // in the order of the workloads
}

// made is the policy of one workload before it is written in some language.
type made struct {
	owner           *Owner
	policy          networkingv1.NetworkPolicy
	ingress, egress []draft
}

// Workload is what the i-th policy was made for; for one that isolates a whole
// namespace it is the namespace.
func (s Synthesis) Workload(i int) policies.Workload {
	p := &s.Policies[i]
	for _, m := range s.made {
		if m.policy.Namespace == p.Namespace && m.policy.Name == p.Name {
			return m.owner.Workload
		}
	}
	return policies.Workload{Namespace: p.Namespace, Kind: "Namespace", Name: p.Namespace}
}

// Reason is the evidence of one rule.
type Reason struct {
	Namespace string            `json:"namespace"`
	Policy    string            `json:"policy"`
	Workload  policies.Workload `json:"workload"`
	Direction Direction         `json:"direction"`
	Rule      int               `json:"rule"`    // index in the direction's list
	Comment   string            `json:"comment"` // as in the YAML: the same in every run
	Flows     []ReasonFlow      `json:"flows,omitempty"`
}

// ReasonFlow is one observed flow behind a rule.
type ReasonFlow struct {
	Flow string `json:"flow"`
	Via  string `json:"via,omitempty"`
	FlowEvidence
}

// Assumption is something that a policy allows and nobody observed.
type Assumption struct {
	Workload  policies.Workload `json:"workload"`
	Direction Direction         `json:"direction"`
	What      string            `json:"what"` // dns, service-port, external-ingress …
	Text      string            `json:"text"`
	// Peer is nil where every peer is meant.
	Peer  *networkingv1.NetworkPolicyPeer `json:"peer,omitempty"`
	Ports portset.Set                     `json:"-"`
}

// UnresolvedFlow is a flow whose peer is not known for sure.
type UnresolvedFlow struct {
	Workload  policies.Workload `json:"workload"`
	Direction Direction         `json:"direction"`
	Flow      string            `json:"flow"`
	Reason    string            `json:"reason"`
	Omitted   bool              `json:"omitted"` // no rule allows it
	key       flowKey
}

// Synthesize makes one policy for each observed workload that a policy can
// govern. It allows the observed flows, and beside them only what Assumed
// lists. It errs on options that make no sense, with [UnresolvedFail] on peers
// that are not known, and with DefaultDeny on flows that it would cut.
func Synthesize(obs []policies.Observation, inv *Inventory, opt Options) (Synthesis, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return Synthesis{}, err
	}
	flows, notes := Flows(obs, inv)
	opt.onNodes(flows)
	owners := observedOwners(obs, inv)
	s := &Synthesis{Notes: notes, options: opt, names: policyNames(owners)}
	byOwner := flowsByOwner(flows)
	for _, owner := range owners {
		if opt.Namespace != "" && opt.Namespace != owner.namespace() {
			delete(s.names, owner)
			continue
		}
		s.addOwner(inv, obs, owner, byOwner[owner])
	}
	if err := errors.Join(s.unresolvedError(), s.defaultDenyError(flows)); err != nil {
		return Synthesis{}, err
	}
	s.finish()
	return *s, nil
}

// flowsByOwner lists each flow with both of its ends.
func flowsByOwner(flows []Flow) map[*Owner][]*Flow {
	byOwner := make(map[*Owner][]*Flow)
	for i := range flows {
		f := &flows[i]
		src, dst := f.Source.owner(), f.Destination.owner()
		byOwner[src] = append(byOwner[src], f)
		if dst != src {
			byOwner[dst] = append(byOwner[dst], f)
		}
	}
	return byOwner
}

func (s *Synthesis) unresolvedError() error {
	if s.options.Unresolved != UnresolvedFail || len(s.Unresolved) == 0 {
		return nil
	}
	errs := make([]error, len(s.Unresolved))
	for i, u := range s.Unresolved {
		errs[i] = fmt.Errorf("unresolved peer: %s: %s", u.Flow, u.Reason)
	}
	return errors.Join(errs...)
}

// defaultDenyError is about observed flows that isolating whole namespaces would
// cut: one end is a pod that gets no policy, because nobody recorded it or
// because nothing tells its pods apart.
func (s *Synthesis) defaultDenyError(flows []Flow) error {
	if !s.options.DefaultDeny {
		return nil
	}
	isolated := make(map[string]bool)
	for _, p := range s.Policies {
		isolated[p.Namespace] = true
	}
	var errs []error
	for _, f := range flows {
		for _, e := range []Endpoint{f.Source, f.Destination} {
			cut := e.Pod != nil && isolated[e.Pod.Namespace] && (!e.Pod.HostNetwork || outside(e.Pod))
			if cut && (e.Pod.Owner == nil || s.names[e.Pod.Owner] == "") {
				errs = append(errs, fmt.Errorf(
					"default deny would cut %s: no policy is made for %s; record it, too, or leave out default deny",
					f, e))
			}
		}
	}
	return errors.Join(errs...)
}

// observedOwners are the workloads that facts were recorded of, sorted.
func observedOwners(obs []policies.Observation, inv *Inventory) []*Owner {
	seen := make(map[*Owner]bool)
	for i := range obs {
		for _, c := range obs[i].Containers {
			seen[inv.containers[c.ID].Owner] = true
		}
		if len(obs[i].Containers) == 0 {
			seen[inv.Owner(obs[i].Workload)] = true
		}
	}
	var owners []*Owner
	for _, o := range inv.Owners {
		if seen[o] {
			owners = append(owners, o)
		}
	}
	return owners
}

// namespace is where the workload's pods are.
func (o *Owner) namespace() string {
	if o.Outside {
		return namespaceOf(labelValue(o.Workload.Namespace))
	}
	return namespaceOf(o.Workload.Namespace)
}

func (s *Synthesis) note(o *Owner, format string, args ...any) {
	s.Notes = append(s.Notes, Note{o.Workload, fmt.Sprintf(format, args...)})
}

// addOwner makes the policy of one workload, or says why there is none.
func (s *Synthesis) addOwner(inv *Inventory, obs []policies.Observation, o *Owner, flows []*Flow) {
	name := s.names[o]
	delete(s.names, o) // only those that get a policy keep theirs
	selector := o.selector(inv)
	if reason := s.noPolicy(o, selector); reason != "" {
		s.note(o, "no policy: %s", reason)
		return
	}
	b := &builder{Synthesis: s, inv: inv, owner: o}
	b.addFlows(flows)
	if off := networkOff(o, obs); off != "" {
		if len(b.ingress)+len(b.egress) == 0 {
			s.note(o, "no policy: network traffic was not recorded (%s)", off)
			return
		}
		s.note(o, "network traffic was not recorded all the time (%s)", off)
	}
	s.names[o] = name
	b.addDNS()
	b.noteClosed()
	b.noteShared(selector)
	b.noteReplicas(flows)
	m := b.policy(*selector)
	b.noteLimits(m.ingress)
	b.noteLimits(m.egress)
	s.Policies = append(s.Policies, m.policy)
	s.made = append(s.made, m)
}

// finish names and sorts the policies, and adds what goes with all of them.
func (s *Synthesis) finish() {
	slices.SortFunc(s.Policies, comparePolicies)
	slices.SortStableFunc(s.Reasons, func(a, b Reason) int {
		return strings.Compare(a.Namespace+"\x00"+a.Policy, b.Namespace+"\x00"+b.Policy)
	})
	if s.options.DefaultDeny {
		s.addDefaultDeny()
	}
	sortNotes(s.Notes)
	s.Notes = slices.Compact(s.Notes)
	slices.SortFunc(s.Assumed, compareAssumptions)
	s.Assumed = slices.CompactFunc(s.Assumed, func(a, b Assumption) bool {
		return compareAssumptions(a, b) == 0
	})
}

func compareAssumptions(a, b Assumption) int {
	return cmp.Or(a.Workload.Compare(b.Workload), cmp.Compare(a.Direction, b.Direction),
		cmp.Compare(a.What, b.What), cmp.Compare(a.Text, b.Text),
		cmp.Compare(a.Ports.String(), b.Ports.String()), cmp.Compare(a.peerText(), b.peerText()))
}

func (a Assumption) peerText() string {
	if a.Peer == nil {
		return ""
	}
	return peerText(*a.Peer)
}

func comparePolicies(a, b networkingv1.NetworkPolicy) int {
	return strings.Compare(a.Namespace+"\x00"+a.Name, b.Namespace+"\x00"+b.Name)
}

// defaultDeny is the name of the policy that isolates a whole namespace.
const defaultDeny = "default-deny"

// addDefaultDeny adds a policy to each namespace that isolates all of it.
func (s *Synthesis) addDefaultDeny() {
	var namespaces []string
	for _, p := range s.Policies {
		namespaces = insert(namespaces, p.Namespace)
	}
	for _, ns := range namespaces {
		p := networkingv1.NetworkPolicy{}
		p.Namespace, p.Name = ns, defaultDeny
		p.Labels = map[string]string{managedBy: "advisor"}
		p.Spec.PolicyTypes = bothTypes()
		p.Spec.PodSelector = metav1.LabelSelector{}
		i, _ := slices.BinarySearchFunc(s.Policies, p, comparePolicies)
		s.Policies = slices.Insert(s.Policies, i, p)
	}
}

func bothTypes() []networkingv1.PolicyType {
	return []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress}
}
