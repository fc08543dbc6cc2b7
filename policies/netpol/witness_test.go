package netpol

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"advisor/policies/manifest"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// TestWitnessesMissNothing compares random pairs of policies that select peers by
// labels, and says by trying every combination of labels, with the selectors of
// Kubernetes itself, whether they differ for anyone: Compare has to say the same.
func TestWitnessesMissNothing(t *testing.T) {
	objects, _ := manifest.Read("x", []byte("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"))
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 7))
		var sets [2]Set
		var peers [2][]networkingv1.NetworkPolicyPeer
		for i := range sets {
			peers[i] = randomPeers(r)
			p := Policy{}
			p.Name, p.Namespace = "web", "shop"
			p.Spec.PodSelector.MatchLabels = map[string]string{"app": "web"}
			p.Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}
			p.Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{From: peers[i]}}
			inv, _ := NewInventory(objects, nil)
			sets[i] = Set{[]Policy{p}, inv}
		}
		changes := Compare(sets[0], sets[1], CompareOptions{})
		who, differ := differFor(t, peers)
		if differ != (len(changes) > 0) {
			t.Fatalf("seed %d: %v and %v differ: %t (%s), and Compare says %v", seed, peers[0], peers[1], differ, who, changes)
		}
	}
}

func randomPeers(r *rand.Rand) []networkingv1.NetworkPolicyPeer {
	peers := make([]networkingv1.NetworkPolicyPeer, 1+r.IntN(2))
	for i := range peers {
		peers[i].NamespaceSelector = randomLabels(r)
		if r.IntN(2) == 0 {
			peers[i].PodSelector = randomLabels(r)
		}
	}
	return peers
}

func randomLabels(r *rand.Rand) *metav1.LabelSelector {
	s := &metav1.LabelSelector{}
	for _, key := range []string{"k", "l"} {
		e := metav1.LabelSelectorRequirement{Key: key}
		values := [][]string{{"x"}, {"y"}, {"x", "y"}, {""}}[r.IntN(4)]
		switch r.IntN(7) {
		case 0:
			e.Operator, e.Values = metav1.LabelSelectorOpIn, values
		case 1:
			e.Operator, e.Values = metav1.LabelSelectorOpNotIn, values
		case 2:
			e.Operator = metav1.LabelSelectorOpExists
		case 3:
			e.Operator = metav1.LabelSelectorOpDoesNotExist
		case 4:
			s.MatchLabels = map[string]string{key: values[0]}
			continue
		default:
			continue
		}
		s.MatchExpressions = append(s.MatchExpressions, e)
	}
	return s
}

// differFor tries all labels of a namespace and of a pod in it: each key absent,
// with a value that selectors mention, or with another.
func differFor(t *testing.T, peers [2][]networkingv1.NetworkPolicyPeer) (string, bool) {
	t.Helper()
	var all []labels.Set
	for _, k := range []string{"-", "", "x", "y", "z"} {
		for _, l := range []string{"-", "", "x", "y", "z"} {
			set := labels.Set{}
			for key, value := range map[string]string{"k": k, "l": l} {
				if value != "-" {
					set[key] = value
				}
			}
			all = append(all, set)
		}
	}
	for _, namespace := range all {
		for _, pod := range all {
			var match [2]bool
			for i := range match {
				for _, p := range peers[i] {
					match[i] = match[i] || selects(t, p.NamespaceSelector, namespace) &&
						(p.PodSelector == nil || selects(t, p.PodSelector, pod))
				}
			}
			if match[0] != match[1] {
				return fmt.Sprintf("pods with %v in namespaces with %v", pod, namespace), true
			}
		}
	}
	return "", false
}

func selects(t *testing.T, s *metav1.LabelSelector, set labels.Set) bool {
	t.Helper()
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		t.Fatal(err)
	}
	return selector.Matches(set)
}

// TestEveryNamespaceHasItsName holds that no namespace without a name makes a
// difference, and that one with another name does.
func TestEveryNamespaceHasItsName(t *testing.T) {
	selecting := func(expression string) Set {
		return read(t, `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress: [{from: [{namespaceSelector: {`+expression+`}}]}]
`)
	}
	all := selecting("")
	named := selecting("matchExpressions: [{key: kubernetes.io/metadata.name, operator: Exists}]")
	if changes := Compare(all, named, CompareOptions{}); len(changes) > 0 {
		t.Errorf("every namespace, and every one with a name: %v", changes)
	}
	without := selecting("matchExpressions: [{key: kubernetes.io/metadata.name, operator: DoesNotExist}]")
	nobody := selecting("matchExpressions: [{key: k, operator: In, values: [x]}, {key: k, operator: NotIn, values: [x]}]")
	if changes := Compare(nobody, without, CompareOptions{}); len(changes) > 0 {
		t.Errorf("no namespace, and those without a name: %v", changes)
	}
	but := selecting("matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [kube-system]}]")
	changes := Compare(but, all, CompareOptions{})
	if len(changes) != 1 || changes[0].Kind != Added || changes[0].Source.String() != "kube-system/[all pods]" {
		t.Errorf("all but one, and all: %v", changes)
	}
}
