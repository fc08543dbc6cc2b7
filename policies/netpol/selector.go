package netpol

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// truth is what can be said with partial knowledge. The order makes min the
// conjunction and max the disjunction.
type truth int8

const (
	no truth = iota
	maybe
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func not(t truth) truth { return yes - t }

// labelSet is the labels of a pod or namespace; with partial, keys that are not
// there may still exist.
type labelSet struct {
	values  map[string]string
	partial bool
}

// matchSelector evaluates a selector; nil matches nothing, empty everything.
func matchSelector(s *metav1.LabelSelector, labels labelSet) truth {
	if s == nil {
		return no
	}
	result := yes
	for key, value := range s.MatchLabels {
		result = min(result, labels.is(key, func(v string) bool { return v == value }))
	}
	for _, e := range s.MatchExpressions {
		result = min(result, matchExpression(e, labels))
	}
	return result
}

// matchExpression evaluates one expression. NotIn and DoesNotExist match where
// the key is missing.
func matchExpression(e metav1.LabelSelectorRequirement, labels labelSet) truth {
	in := func(v string) bool { return slices.Contains(e.Values, v) }
	exists := func(string) bool { return true }
	switch e.Operator {
	case metav1.LabelSelectorOpIn:
		return labels.is(e.Key, in)
	case metav1.LabelSelectorOpNotIn:
		return not(labels.is(e.Key, in))
	case metav1.LabelSelectorOpExists:
		return labels.is(e.Key, exists)
	case metav1.LabelSelectorOpDoesNotExist:
		return not(labels.is(e.Key, exists))
	}
	return no
}

// is says whether the key is there with a value that test accepts.
func (l labelSet) is(key string, test func(string) bool) truth {
	value, ok := l.values[key]
	switch {
	case ok:
		return truthOf(test(value))
	case l.partial:
		return maybe
	}
	return no
}
