package netpol

import (
	"maps"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// entireCluster is any pod of any namespace that the manifests do not have.
const entireCluster = "entire-cluster"

// addSymbolic adds the rest of the cluster as a peer, and one for each distinct
// selector of a rule that may match pods which the manifests do not have:
// always where it selects namespaces by more than a known name, else where it
// matches no pod at all. Without it a rule for all namespaces would change
// nothing in a repository with one.
func (u *universe) addSymbolic() {
	found := make(map[string]entity)
	u.addWitness(found, nil, &Policy{}, networkingv1.NetworkPolicyPeer{
		NamespaceSelector: &metav1.LabelSelector{}}) // whatever the policies say
	for i, set := range u.sets {
		pods := u.newLabelIndex(i, len(u.entities))
		for j := range set.Policies {
			p := &set.Policies[j]
			for _, r := range append(p.rules(Ingress), p.rules(Egress)...) {
				for _, peer := range r.peers {
					u.addWitness(found, pods, p, peer)
				}
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(found)) {
		u.entities = append(u.entities, found[key])
	}
}

func (u *universe) addWitness(found map[string]entity, pods *labelIndex, p *Policy,
	peer networkingv1.NetworkPolicyPeer) {
	if peer.IPBlock != nil {
		return
	}
	namespace, pinned := pinnedNamespace(p, peer)
	name := symbolicName(namespace, peer)
	if _, known := found[name]; known || pinned && matchesReal(pods, namespace, peer.PodSelector) {
		return
	}
	e := entity{peer: Peer{Symbolic: name}, many: true}
	for _, s := range u.sets {
		labels := s.Inventory.namespaceLabels(namespace)
		if !pinned {
			labels = labelSet{values: witnessLabels(peer.NamespaceSelector)}
			namespace = "\x00" + name // no policy is in it
		}
		e.sides = append(e.sides, side{present: true, namespace: labels, pod: &Pod{
			Namespace: namespace, Labels: witnessLabels(peer.PodSelector), PortsKnown: true}})
	}
	found[name] = e
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

// matchesReal says that a workload matches the peer.
func matchesReal(x *labelIndex, namespace string, s *metav1.LabelSelector) bool {
	found := false
	x.selected(namespace, s, func(int) bool {
		found = true
		return false
	})
	return found
}

// witnessLabels are the fewest labels that a selector matches. A value that an
// expression does not fix is one that nobody writes.
func witnessLabels(s *metav1.LabelSelector) map[string]string {
	labels := make(map[string]string)
	if s == nil {
		return labels
	}
	for _, e := range s.MatchExpressions {
		switch e.Operator {
		case metav1.LabelSelectorOpIn:
			if _, fixed := labels[e.Key]; !fixed {
				labels[e.Key] = e.Values[0]
			}
		case metav1.LabelSelectorOpExists:
			if _, fixed := labels[e.Key]; !fixed {
				labels[e.Key] = "\x00any"
			}
		}
	}
	maps.Copy(labels, s.MatchLabels)
	return labels
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
