package netpol

import (
	"maps"
	"strings"

	"advisor/policies"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// selector returns the stable selector of the workload's pods: the owner's own
// where it is known, else the labels that all its pods share, without volatile
// ones. It is nil where no label tells the pods apart from others.
func (o *Owner) selector(inv *Inventory) *metav1.LabelSelector {
	if s := o.Selector; s != nil && len(s.MatchLabels)+len(s.MatchExpressions) > 0 {
		s = s.DeepCopy()
		if inv.selectsOthers(o, s) {
			s.MatchLabels = merged(s.MatchLabels, o.stableLabels())
		}
		return s
	}
	if labels := o.stableLabels(); len(labels) > 0 {
		return &metav1.LabelSelector{MatchLabels: labels}
	}
	return nil
}

func merged(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	if all == nil {
		all = make(map[string]string)
	}
	maps.Copy(all, b)
	return all
}

// selectsOthers says that the selector matches pods of another workload too.
func (inv *Inventory) selectsOthers(o *Owner, s *metav1.LabelSelector) bool {
	for _, p := range inv.selected(o.Workload.Namespace, s) {
		if p.Owner != o {
			return true
		}
	}
	return false
}

// stableLabels are the labels that the template and all pods share.
func (o *Owner) stableLabels() map[string]string {
	pods := o.Pods
	if o.Template != nil {
		pods = append([]*Pod{o.Template}, pods...)
	}
	var labels map[string]string
	for i, p := range pods {
		if i == 0 {
			labels = maps.Clone(p.Labels)
		}
		maps.DeleteFunc(labels, func(k, v string) bool {
			other, ok := p.Labels[k]
			return !ok || other != v || policies.VolatileLabel(k)
		})
	}
	return labels
}

// labelValue makes a name usable as the value of a label, as the name of a
// namespace and as a part of an object's name.
func labelValue(name string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '-':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, name)
	if len(clean) > 63 {
		clean = clean[:63]
	}
	return strings.Trim(clean, "-")
}
