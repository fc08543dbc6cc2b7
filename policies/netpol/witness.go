package netpol

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// anyValue is the value of a label that no selector mentions: nobody can write it.
const anyValue = "\x00any"

// mostWitnesses bounds the witnesses of one selector. Beyond it labels are varied
// one by one and no longer together.
const mostWitnesses = 256

// domain is what selectors tell apart, of pods or of namespaces.
type domain struct {
	values map[string][]string // by key, sorted: those that some selector mentions
	listed map[string][]string // of these, those that an expression lists
	denied map[string]bool     // keys of which some selector also takes pods without
}

// manyValues is how many values of a key are all tried. Names of applications are
// more, and a selector for one of them is a witness of its own.
const manyValues = 32

// note takes in a selector.
func (d *domain) note(s *metav1.LabelSelector) {
	if s == nil {
		return
	}
	if d.values == nil {
		d.values, d.listed = make(map[string][]string), make(map[string][]string)
		d.denied = make(map[string]bool)
	}
	for key, value := range s.MatchLabels {
		d.values[key] = mention(d.values[key], value)
	}
	for _, e := range s.MatchExpressions {
		d.values[e.Key] = mention(d.values[e.Key], e.Values...)
		d.listed[e.Key] = mention(d.listed[e.Key], e.Values...)
		if e.Operator == metav1.LabelSelectorOpNotIn || e.Operator == metav1.LabelSelectorOpDoesNotExist {
			d.denied[e.Key] = true
		}
	}
}

// mention adds what is new to a sorted list; the empty value is one.
func mention(list []string, values ...string) []string {
	for _, v := range values {
		if i, found := slices.BinarySearch(list, v); !found {
			list = slices.Insert(list, i, v)
		}
	}
	return list
}

// mentioned is how many of the labels have a key that some selector speaks of.
func (d domain) mentioned(labels map[string]string) int {
	n := 0
	for key := range labels {
		if _, ok := d.values[key]; ok {
			n++
		}
	}
	return n
}

// label is one label of a witness: without there, the witness has none of its key.
type label struct {
	key, value string
	there      bool
}

// witness is labels that stand for all pods, or namespaces, that no selector tells
// from one with just these. Keys that are not in it are not there.
type witness []label

// witnesses are labels that s matches: first the fewest, then one for each way in
// which those that s matches differ for others. Without wide only keys that s
// itself speaks of are varied. There is none where nothing can match s.
func (d domain) witnesses(s *metav1.LabelSelector, wide bool) []witness {
	keys := selectorKeys(s)
	if wide {
		for key := range d.denied {
			keys = insert(keys, key)
		}
	}
	choices := make([][]label, len(keys))
	all := 1
	for i, key := range keys {
		if choices[i] = d.choices(s, key); len(choices[i]) == 0 {
			return nil
		}
		all = min(all*len(choices[i]), mostWitnesses+1)
	}
	if all > mostWitnesses {
		return oneByOne(choices)
	}
	list := []witness{nil}
	for _, labels := range choices {
		var longer []witness
		for _, w := range list {
			for _, l := range labels {
				longer = append(longer, append(slices.Clone(w), l))
			}
		}
		list = longer
	}
	return list
}

// withName gives namespaces of which nothing is said of their name one that nobody
// mentions: every namespace has its name as a label.
func withName(list []witness) []witness {
	for i, w := range list {
		if !slices.ContainsFunc(w, func(l label) bool { return l.key == nameLabel }) {
			list[i] = append(slices.Clone(w), label{nameLabel, anyValue, true})
		}
	}
	return list
}

// oneByOne varies a single label at a time.
func oneByOne(choices [][]label) []witness {
	first := make(witness, len(choices))
	for i, labels := range choices {
		first[i] = labels[0]
	}
	list := []witness{first}
	for i, labels := range choices {
		for _, l := range labels[1:] {
			w := slices.Clone(first)
			w[i] = l
			list = append(list, w)
		}
	}
	return list
}

// choices are the labels of a key that s accepts: none, one that nobody mentions,
// then those that some selector does. Every namespace has its name.
func (d domain) choices(s *metav1.LabelSelector, key string) []label {
	candidates := []label{{key, anyValue, true}}
	if key != nameLabel {
		candidates = []label{{key, "", false}, {key, anyValue, true}}
	}
	for _, value := range d.candidates(s, key) {
		candidates = append(candidates, label{key, value, true})
	}
	return slices.DeleteFunc(candidates, func(l label) bool { return !accepts(s, l) })
}

// candidates are the values of a key to try on s: its own, where it names them.
func (d domain) candidates(s *metav1.LabelSelector, key string) []string {
	if s != nil {
		if value, ok := s.MatchLabels[key]; ok {
			return []string{value}
		}
		for _, e := range s.MatchExpressions {
			if e.Key == key && e.Operator == metav1.LabelSelectorOpIn {
				return mention(nil, e.Values...)
			}
		}
	}
	if len(d.values[key]) > manyValues {
		return d.listed[key]
	}
	return d.values[key]
}

// several says that what s matches has a label of several values that s names: no
// one of them stands for the others.
func (d domain) several(s *metav1.LabelSelector) bool {
	return slices.ContainsFunc(selectorKeys(s), func(key string) bool {
		list := d.choices(s, key)
		return len(list) > 1 && list[0].there && list[0].value != anyValue
	})
}

// accepts says that a label meets what a selector asks of its key.
func accepts(s *metav1.LabelSelector, l label) bool {
	if s == nil {
		return true
	}
	labels := witness{l}.set()
	only := metav1.LabelSelector{}
	if value, ok := s.MatchLabels[l.key]; ok {
		only.MatchLabels = map[string]string{l.key: value}
	}
	for _, e := range s.MatchExpressions {
		if e.Key == l.key {
			only.MatchExpressions = append(only.MatchExpressions, e)
		}
	}
	return matchSelector(&only, labels) == yes
}

func selectorKeys(s *metav1.LabelSelector) []string {
	var keys []string
	if s == nil {
		return nil
	}
	for key := range s.MatchLabels {
		keys = insert(keys, key)
	}
	for _, e := range s.MatchExpressions {
		keys = insert(keys, e.Key)
	}
	return keys
}

// set is the witness as the labels of a pod or a namespace.
func (w witness) set() labelSet {
	values := make(map[string]string)
	for _, l := range w {
		if l.there {
			values[l.key] = l.value
		}
	}
	return labelSet{values: values}
}

// named is the value of a label, "" for none and for one that nobody mentions.
func (w witness) named(key string) string {
	for _, l := range w {
		if l.key == key && l.there && l.value != anyValue {
			return l.value
		}
	}
	return ""
}

// besidesName are the labels that are there, but for a namespace's name.
func (w witness) besidesName() witness {
	return slices.DeleteFunc(slices.Clone(w), func(l label) bool { return !l.there || l.key == nameLabel })
}

// selector selects those that the witness stands for, as far as it says. What a
// namespace is called says nothing where it is no name.
func (w witness) selector(d domain) *metav1.LabelSelector {
	s := &metav1.LabelSelector{}
	for _, l := range w {
		e := metav1.LabelSelectorRequirement{Key: l.key, Operator: metav1.LabelSelectorOpIn, Values: []string{l.value}}
		switch {
		case l.key == nameLabel && l.value == anyValue:
			continue
		case !l.there:
			e.Operator, e.Values = metav1.LabelSelectorOpDoesNotExist, nil
		case l.value == anyValue && len(d.values[l.key]) > 0:
			e.Operator, e.Values = metav1.LabelSelectorOpNotIn, d.values[l.key]
			s.MatchExpressions = append(s.MatchExpressions,
				metav1.LabelSelectorRequirement{Key: l.key, Operator: metav1.LabelSelectorOpExists}, e)
			continue
		case l.value == anyValue:
			e.Operator, e.Values = metav1.LabelSelectorOpExists, nil
		default:
			s.MatchLabels = merged(s.MatchLabels, map[string]string{l.key: l.value})
			continue
		}
		s.MatchExpressions = append(s.MatchExpressions, e)
	}
	return s
}

// String tells witnesses apart.
func (w witness) String() string {
	var b strings.Builder
	for _, l := range w {
		if l.there {
			b.WriteString(l.key + "=" + l.value + "\x01")
		}
	}
	return b.String()
}
