package netpol

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// labelIndex finds the entities of pods that a selector may match without
// looking at all of them.
type labelIndex struct {
	entities    []entity
	set         int
	all         []int
	byNamespace map[string][]int
	byLabel     map[[2]string][]int
	exact       map[string]exactly // pods that are a variant, by namespace and labels
}

// newLabelIndex indexes the pods of a set by namespace, and by those labels
// that some selector asks for.
func (u *universe) newLabelIndex(set, entities int) *labelIndex {
	x := &labelIndex{entities: u.entities, set: set, byNamespace: make(map[string][]int),
		byLabel: make(map[[2]string][]int), exact: make(map[string]exactly)}
	for i := range entities {
		pod := x.pod(i)
		x.all = append(x.all, i)
		x.byNamespace[pod.Namespace] = append(x.byNamespace[pod.Namespace], i)
		for k, v := range pod.Labels {
			if u.podKeys[k] {
				x.byLabel[[2]string{k, v}] = append(x.byLabel[[2]string{k, v}], i)
			}
		}
	}
	return x
}

func (x *labelIndex) pod(i int) *Pod { return x.entities[i].sides[x.set].pod }

// candidates are the entities of a namespace, or those with the rarest of the
// selector's labels where they are fewer.
func (x *labelIndex) candidates(namespace string, s *metav1.LabelSelector) []int {
	list := x.all
	if namespace != "" {
		list = x.byNamespace[namespace]
	}
	if s == nil {
		return list
	}
	for k, v := range s.MatchLabels {
		if with := x.byLabel[[2]string{k, v}]; len(with) < len(list) {
			list = with
		}
	}
	return list
}

// selected calls f with each entity that a pod selector matches, in a namespace
// or in all for "", until f returns false. A nil selector matches all.
func (x *labelIndex) selected(namespace string, s *metav1.LabelSelector, f func(int) bool) {
	for _, i := range x.candidates(namespace, s) {
		pod := x.pod(i)
		if namespace != "" && pod.Namespace != namespace {
			continue
		}
		if (s == nil || matchSelector(s, pod.labels()) == yes) && !f(i) {
			return
		}
	}
}
