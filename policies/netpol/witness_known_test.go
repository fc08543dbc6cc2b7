package netpol

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"advisor/policies/manifest"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// TestWitnessesBesideKnownPods is as TestWitnessesMissNothing for selectors of one
// namespace that has pods: those that are known must not hide others that a
// selector tells from them.
func TestWitnessesBesideKnownPods(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 11))
		inv, _ := NewInventory(knownPods(r), nil)
		var sets [2]Set
		for i := range sets {
			sets[i] = Set{randomPolicies(r), inv}
		}
		changes := Compare(sets[0], sets[1], CompareOptions{})
		who, differ := differIn(t, sets)
		if differ != (len(changes) > 0) {
			t.Fatalf("seed %d: %v and %v differ: %t (%s), and Compare says %v",
				seed, sets[0].Policies, sets[1].Policies, differ, who, changes)
		}
	}
}

// randomPolicies are one or two that let pods of their own namespace in.
func randomPolicies(r *rand.Rand) []Policy {
	list := make([]Policy, 1+r.IntN(2))
	for i := range list {
		p := &list[i]
		p.Name, p.Namespace = fmt.Sprint("p", i), "shop"
		if r.IntN(2) == 0 {
			p.Spec.PodSelector = *randomLabels(r)
		}
		p.Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}
		for range r.IntN(3) {
			p.Spec.Ingress = append(p.Spec.Ingress, networkingv1.NetworkPolicyIngressRule{
				From: []networkingv1.NetworkPolicyPeer{{PodSelector: randomLabels(r)}},
			})
		}
	}
	return list
}

// knownPods are up to three workloads with labels that the selectors speak of.
func knownPods(r *rand.Rand) []manifest.Object {
	var text strings.Builder
	text.WriteString("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")
	for i := range r.IntN(4) {
		all := allLabels()
		fmt.Fprintf(&text, "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p%d, namespace: shop, labels: {", i)
		for k, v := range all[r.IntN(len(all))] {
			fmt.Fprintf(&text, "%s: %q, ", k, v)
		}
		text.WriteString("}}\nspec: {containers: [{name: c, image: i}]}\n")
	}
	objects, _ := manifest.Read("x", []byte(text.String()))
	return objects
}

// differIn tries all pairs of pods, and somebody outside of the namespace, whom no
// rule lets in: whether one may connect to the other.
func differIn(t *testing.T, sets [2]Set) (string, bool) {
	t.Helper()
	for _, source := range append(allLabels(), nil) {
		for _, destination := range allLabels() {
			if letsIn(t, sets[0], source, destination) != letsIn(t, sets[1], source, destination) {
				return fmt.Sprintf("pods with %v to pods with %v", source, destination), true
			}
		}
	}
	return "", false
}

func letsIn(t *testing.T, s Set, source, destination labels.Set) bool {
	t.Helper()
	isolated := false
	for _, p := range s.Policies {
		if !selects(t, &p.Spec.PodSelector, destination) {
			continue
		}
		isolated = true
		for _, rule := range p.Spec.Ingress {
			if source != nil && selects(t, rule.From[0].PodSelector, source) {
				return true
			}
		}
	}
	return !isolated
}

// allLabels has each key absent, with a value that selectors mention, or with another.
func allLabels() []labels.Set {
	var all []labels.Set
	values := []string{"-", "", "x", "y", "other"}
	for _, k := range values {
		for _, l := range values {
			set := labels.Set{}
			for key, value := range map[string]string{"k": k, "l": l} {
				if value != "-" {
					set[key] = value
				}
			}
			all = append(all, set)
		}
	}
	return all
}
