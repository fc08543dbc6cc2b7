package netpol

import (
	"fmt"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// entireCluster is any pod of any namespace that the manifests do not have.
const entireCluster = "entire-cluster"

// addStrangers adds, for each policy that selects pods which the manifests do not
// have, what stands for those: where only policies are known, they are all there is.
func (u *universe) addStrangers() {
	u.eachPolicy(func(set int, pods *labelIndex, p *Policy) {
		u.addWitnesses(pods, p, networkingv1.NetworkPolicyPeer{PodSelector: &p.Spec.PodSelector}, true)
	})
}

// addSymbolic adds the rest of the cluster as a peer, and for each distinct
// selector of a rule those that may match it and which the manifests do not have:
// one for each way in which selectors tell them apart, but for those that a known
// workload stands for. Without this a rule for all namespaces would change nothing
// in a repository with one, nor a rule for a whole namespace where one pod is known.
func (u *universe) addSymbolic() {
	u.addWitnesses(u.newLabelIndex(0, len(u.entities)), &Policy{}, networkingv1.NetworkPolicyPeer{
		NamespaceSelector: &metav1.LabelSelector{}}, false) // whatever the policies say
	u.eachPolicy(func(set int, pods *labelIndex, p *Policy) {
		for _, r := range append(p.rules(Ingress), p.rules(Egress)...) {
			for _, peer := range r.peers {
				u.addWitnesses(pods, p, peer, false)
			}
		}
	})
}

// eachPolicy calls f for the policies of all sets, and then adds what it found,
// sorted.
func (u *universe) eachPolicy(f func(set int, pods *labelIndex, p *Policy)) {
	for i, set := range u.sets {
		pods := u.newLabelIndex(i, len(u.entities))
		for j := range set.Policies {
			f(i, pods, &set.Policies[j])
		}
	}
	start := len(u.entities)
	for labels, f := range u.symbolic {
		if f != nil {
			u.entities = append(u.entities, f.entity)
			u.symbolic[labels] = nil
		}
	}
	slices.SortFunc(u.entities[start:], func(a, b entity) int { return a.peer.Compare(b.peer) })
}

// addWitnesses adds the witnesses of a peer, or of the pods that a policy selects.
func (u *universe) addWitnesses(pods *labelIndex, p *Policy, peer networkingv1.NetworkPolicyPeer, subject bool) {
	if peer.IPBlock != nil {
		return
	}
	namespace, pinned := pinnedNamespace(p, peer)
	namespaces := []witness{nil}
	if !pinned {
		namespaces = withName(u.domains[ofNamespaces].witnesses(peer.NamespaceSelector, true))
	}
	base := symbolicName(namespace, peer)
	domain := u.podsAs(subject)
	several := u.domains[ofNamespaces].several(peer.NamespaceSelector) || domain.several(peer.PodSelector)
	if several {
		base = ""
	}
	first := ""
	for i, of := range namespaces {
		for j, with := range domain.witnesses(peer.PodSelector, true) {
			v := variant{namespace: namespace, of: of, with: with, base: base, first: i+j == 0, subject: subject}
			if name := of.named(nameLabel); name != "" && !pinned {
				v.namespace = name
			}
			if v.first {
				first = v.labels()
			}
			if v.namespace == "" {
				u.addVariant(v, map[bool]string{false: first}[several])
			} else if !v.real(u, pods, p) {
				u.addVariant(v.beside(pods, peer), first)
			}
		}
	}
}

// podsAs is what selectors tell apart of pods that policies select, or that are peers.
func (u *universe) podsAs(subject bool) domain {
	if subject {
		return u.domains[ofSubjects]
	}
	return u.domains[ofPeers]
}

// variant is a witness on its way to an entity.
type variant struct {
	namespace string // "" for one that nobody knows
	of, with  witness
	base      string // the peer in words, "" where these would be too many
	first     bool   // has the fewest labels that the peer matches
	subject   bool   // a policy selects it
	known     bool   // the peer matches workloads, too, of which like is one
	like      int
}

// real says that a workload is what the variant would stand for: no selector tells
// the two apart. A single pod that the policy selects itself is not enough, since it
// has no connection with itself.
func (v variant) real(u *universe, pods *labelIndex, p *Policy) bool {
	e := v.exact(u, pods)
	if e.pods != 1 || v.subject || namespaceOf(p.Namespace) != v.namespace {
		return e.pods > 0
	}
	return matchSelector(&p.Spec.PodSelector, pods.pod(e.first).labels()) != yes
}

// exactly are the workloads that no selector tells from a variant.
type exactly struct {
	pods  int // 2 for more than one
	first int
}

func (v variant) exact(u *universe, pods *labelIndex) exactly {
	key := fmt.Sprint(v.subject) + v.namespace + "\x00" + v.with.String()
	e, known := pods.exact[key]
	if known {
		return e
	}
	domain := u.podsAs(v.subject)
	pods.selected(v.namespace, v.with.selector(domain), func(i int) bool {
		if domain.mentioned(pods.pod(i).Labels) != len(v.with.set().values) {
			return true
		}
		if e.pods++; e.pods == 1 {
			e.first = i
		}
		if u.entities[i].many {
			e.pods = 2
		}
		return e.pods < 2
	})
	pods.exact[key] = e
	return e
}

// beside is the variant for a peer that may match workloads, too. The peer's words
// are of those then.
func (v variant) beside(pods *labelIndex, peer networkingv1.NetworkPolicyPeer) variant {
	pods.selected(v.namespace, peer.PodSelector, func(i int) bool {
		v.like, v.known, v.base = i, true, ""
		return false
	})
	return v
}

// name is what the variant stands for in words: the peer's, where it says it.
func (v variant) name(u *universe) string {
	if v.first && v.base != "" {
		return v.base
	}
	namespace, of := v.namespace, v.of.selector(u.domains[ofNamespaces])
	if labels := v.of.besidesName(); namespace != "" && len(labels) > 0 {
		namespace += " with " + metav1.FormatLabelSelector(labels.selector(u.domains[ofNamespaces]))
	}
	name := symbolicName(namespace, networkingv1.NetworkPolicyPeer{
		PodSelector: v.with.selector(u.podsAs(v.subject)), NamespaceSelector: of,
	})
	if v.known {
		name = strings.NewReplacer("[all pods]", "[all other pods]", "[pods with", "[other pods with").Replace(name)
	}
	return name
}

// labels tell variants apart: those with the same are one, whatever selects them.
func (v variant) labels() string {
	return v.namespace + "\x00" + v.of.String() + "\x00" + v.with.String()
}

// plain says that the peer in words is what to call the variant.
func (v variant) plain() bool { return v.first && v.base != "" }

// found is a symbolic entity on its way into the list of all.
type found struct {
	entity
	plain bool // is called by the selector that it is the first of
}

// addVariant adds what a variant stands for, once. What it is called, and which
// other speaks for it, is the same in whatever order selectors come.
func (u *universe) addVariant(v variant, base string) {
	name, labels := v.name(u), v.labels()
	if v.first || v.known {
		base = ""
	}
	f, known := u.symbolic[labels]
	if known && f == nil {
		return // it is one that a policy selects
	}
	if !known {
		f = &found{u.symbolicEntity(v), v.plain()}
		f.peer.Symbolic, f.labels, f.base = name, labels, base
		u.symbolic[labels] = f
		return
	}
	if v.plain() != f.plain && v.plain() || v.plain() == f.plain && name < f.peer.Symbolic {
		f.peer.Symbolic, f.plain = name, v.plain()
	}
	f.base = min(f.base, base)
	if v.known && v.first && (f.like < 0 || v.like < f.like) {
		f.like = v.like
	}
}

func (u *universe) symbolicEntity(v variant) entity {
	e := entity{many: true, subject: v.subject, like: -1}
	if v.known && v.first {
		e.like = v.like
	}
	for _, s := range u.sets {
		labels, namespace := s.Inventory.namespaceLabels(v.namespace), v.namespace
		if len(v.of) > 0 || namespace == "" {
			labels = v.of.set()
		}
		if namespace == "" {
			namespace = "\x00" + v.labels() // no policy is in it
		}
		e.sides = append(e.sides, side{present: true, namespace: labels, pod: &Pod{
			Namespace: namespace, Labels: v.with.set().values, PortsKnown: true}})
	}
	return e
}

// pinnedNamespace is the one namespace that a peer can be in: the policy's own,
// or one selected by its name.
func pinnedNamespace(p *Policy, peer networkingv1.NetworkPolicyPeer) (string, bool) {
	s := peer.NamespaceSelector
	if s == nil {
		return namespaceOf(p.Namespace), true
	}
	if name, ok := s.MatchLabels[nameLabel]; ok {
		return name, true
	}
	for _, e := range s.MatchExpressions {
		if e.Key == nameLabel && e.Operator == metav1.LabelSelectorOpIn && len(e.Values) == 1 {
			return e.Values[0], true
		}
	}
	return "", false
}

// symbolicName describes a selector in words.
func symbolicName(namespace string, peer networkingv1.NetworkPolicyPeer) string {
	pods := "[" + selectorWords("all pods", "pods with ", peer.PodSelector) + "]"
	switch {
	case namespace != "":
		return namespace + "/" + pods
	case isEmpty(peer.NamespaceSelector) && isEmpty(peer.PodSelector):
		return entireCluster
	}
	words := selectorWords("any namespace", "namespaces with ", peer.NamespaceSelector)
	return "[" + words + "]/" + pods
}

func isEmpty(s *metav1.LabelSelector) bool {
	return s == nil || len(s.MatchLabels)+len(s.MatchExpressions) == 0
}

func selectorWords(all, with string, s *metav1.LabelSelector) string {
	if isEmpty(s) {
		return all
	}
	return with + metav1.FormatLabelSelector(canonicalSelector(s))
}

// canonicalSelector sorts what has no order.
func canonicalSelector(s *metav1.LabelSelector) *metav1.LabelSelector {
	s = s.DeepCopy()
	for i := range s.MatchExpressions {
		slices.Sort(s.MatchExpressions[i].Values)
	}
	slices.SortFunc(s.MatchExpressions, func(a, b metav1.LabelSelectorRequirement) int {
		return strings.Compare(a.Key+string(a.Operator), b.Key+string(b.Operator))
	})
	return s
}
