package netpol

import (
	"fmt"
	"slices"
	"strings"

	"advisor/policies/manifest"

	"go.yaml.in/yaml/v3"
	networkingv1 "k8s.io/api/networking/v1"
	sigsyaml "sigs.k8s.io/yaml"
)

// Amend applies remedies to one policy in the text of its file. Rules that
// need no change keep every byte, and comments stay. It errs with
// [manifest.ErrNotInPlace] where the text does not let it.
func Amend(e *manifest.Editor, remedies []Remedy, inv *Inventory, dialect Dialect) error {
	policy := remedies[0].Policy
	spec := policy.Object.Lookup("spec")
	if spec == nil {
		return fmt.Errorf("%w: it has no spec", manifest.ErrNotInPlace)
	}
	for _, d := range []Direction{Ingress, Egress} {
		a := amendment{policy: policy, spec: spec, direction: d, list: manifest.ValueOf(spec, rulesKey(d)),
			edits: make(map[int][]change)}
		var owner *Owner
		var flows []*Flow
		for _, r := range remedies {
			switch ch := r.change; {
			case ch.direction != d:
			case ch.kind == addFlow:
				flows = append(flows, ch.flow)
				owner = subjectOf(ch.flow, d)
			default:
				a.edits[ch.rule] = append(a.edits[ch.rule], ch)
			}
		}
		if owner != nil {
			a.added = rulesOf(inv, dialect, owner, d, flows)
		}
		if err := a.apply(e); err != nil {
			return err
		}
	}
	return nil
}

func subjectOf(f *Flow, d Direction) *Owner {
	if d == Egress {
		return f.Source.owner()
	}
	return f.Destination.owner()
}

// amendment is what changes in the rules of one direction.
type amendment struct {
	policy    *Policy
	spec      *yaml.Node
	direction Direction
	list      *yaml.Node // of rules; nil where there is none
	edits     map[int][]change
	added     []draft
}

func (a *amendment) apply(e *manifest.Editor) error {
	if len(a.edits)+len(a.added) == 0 {
		return nil
	}
	for _, changes := range a.edits {
		for _, ch := range changes {
			if a.list == nil || ch.rule >= len(a.list.Content) {
				return fmt.Errorf("%w: rule %d is not where it was read", manifest.ErrNotInPlace, ch.rule)
			}
		}
	}
	left := a.left()
	inLines := a.list != nil && a.list.Kind == yaml.SequenceNode && len(a.list.Content) > 0 &&
		a.list.Style&yaml.FlowStyle == 0
	if inLines && left > 0 {
		return a.applyInLines(e)
	}
	whole, err := a.whole()
	if err != nil {
		return err
	}
	if left == 0 {
		if err := a.keepClosed(e); err != nil {
			return err
		}
	}
	return e.Set(a.spec, rulesKey(a.direction), whole)
}

// left is how many rules there are in the end.
func (a *amendment) left() int {
	left := len(a.added)
	if a.list != nil {
		for i := range a.list.Content {
			if !a.drops(i) {
				left++
			}
		}
	}
	return left
}

func (a *amendment) drops(rule int) bool {
	return slices.ContainsFunc(a.edits[rule], func(ch change) bool { return ch.kind == dropRule })
}

// keepClosed spells out the types where egress would be open without a rule.
func (a *amendment) keepClosed(e *manifest.Editor) error {
	if a.direction != Egress || len(a.policy.Spec.PolicyTypes) > 0 {
		return nil
	}
	types, err := nodeOf(bothTypes())
	if err != nil {
		return err
	}
	return e.Set(a.spec, "policyTypes", types)
}

// applyInLines edits rule by rule.
func (a *amendment) applyInLines(e *manifest.Editor) error {
	for i := range a.list.Content {
		if len(a.edits[i]) == 0 {
			continue
		}
		if a.drops(i) {
			if err := e.RemoveItem(a.list, i); err != nil {
				return err
			}
			continue
		}
		rule, err := a.edited(i)
		if err != nil {
			return err
		}
		if err := e.ReplaceItem(a.list, i, rule); err != nil {
			return err
		}
	}
	for _, r := range a.added {
		rule, err := a.ruleNode(r)
		if err != nil {
			return err
		}
		if err := e.AppendItem(a.list, rule, strings.Join(r.comments, ", ")); err != nil {
			return err
		}
	}
	return nil
}

// whole is the list of rules anew.
func (a *amendment) whole() (*yaml.Node, error) {
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	if a.list != nil {
		for i := range a.list.Content {
			if a.drops(i) {
				continue
			}
			rule, err := a.edited(i)
			if err != nil {
				return nil, err
			}
			list.Content = append(list.Content, rule)
		}
	}
	for _, r := range a.added {
		rule, err := a.ruleNode(r)
		if err != nil {
			return nil, err
		}
		rule.HeadComment = "# " + strings.Join(r.comments, ", ")
		list.Content = append(list.Content, rule)
	}
	if len(list.Content) == 0 {
		list.Style = yaml.FlowStyle // as []
	}
	return list, nil
}

func (a *amendment) ruleNode(r draft) (*yaml.Node, error) {
	if a.direction == Ingress {
		return nodeOf(networkingv1.NetworkPolicyIngressRule{From: r.peers, Ports: portList(r.ports)})
	}
	return nodeOf(networkingv1.NetworkPolicyEgressRule{To: r.peers, Ports: portList(r.ports)})
}

// edited is a rule with its changes.
func (a *amendment) edited(i int) (*yaml.Node, error) {
	if holdsAlias(a.list.Content[i]) {
		return nil, fmt.Errorf("%w: it is an alias, or has one", manifest.ErrNotInPlace)
	}
	rule := manifest.WithoutFoot(a.list.Content[i])
	rule.HeadComment = ""
	if rule.Kind != yaml.MappingNode {
		*rule = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	}
	if len(a.edits[i]) > 0 {
		rule.Style &^= yaml.FlowStyle
	}
	if len(rule.Content) > 0 {
		rule.Content[0].HeadComment = ""
	}
	changes := slices.Clone(a.edits[i])
	slices.SortStableFunc(changes, func(x, y change) int { return y.item - x.item }) // so that indexes hold
	for _, ch := range changes {
		if err := ch.edit(rule, peersKey(a.direction)); err != nil {
			return nil, err
		}
	}
	return rule, nil
}

func holdsAlias(node *yaml.Node) bool {
	return node.Kind == yaml.AliasNode || slices.ContainsFunc(node.Content, holdsAlias)
}

// edit changes a rule's node.
func (ch change) edit(rule *yaml.Node, peers string) error {
	key, fresh := peers, any(ch.peers)
	if ch.kind == setPort || ch.kind == setPorts {
		key, fresh = "ports", ch.ports
	}
	nodes, err := nodeOf(fresh)
	if err != nil {
		return err
	}
	if ch.kind == setPeers || ch.kind == setPorts {
		setKey(rule, key, nodes)
		return nil
	}
	list := manifest.ValueOf(rule, key)
	if list == nil || ch.item >= len(list.Content) {
		return fmt.Errorf("%w: %s %d is not where it was read", manifest.ErrNotInPlace, key, ch.item)
	}
	if len(nodes.Content) > 0 { // what was said of the old one holds for what is left of it
		old := list.Content[ch.item]
		nodes.Content[0].HeadComment, nodes.Content[0].LineComment = old.HeadComment, old.LineComment
		keepComments(old, nodes.Content[0])
	}
	list.Content = slices.Replace(list.Content, ch.item, ch.item+1, nodes.Content...)
	return nil
}

// keepComments carries the comments of keys over that both have.
func keepComments(from, to *yaml.Node) {
	for i := 0; i+1 < len(from.Content) && from.Kind == yaml.MappingNode && to.Kind == yaml.MappingNode; i += 2 {
		for j := 0; j+1 < len(to.Content); j += 2 {
			if from.Content[i].Value == to.Content[j].Value {
				to.Content[j].HeadComment = from.Content[i].HeadComment
				to.Content[j+1].LineComment = from.Content[i+1].LineComment
				keepComments(from.Content[i+1], to.Content[j+1])
			}
		}
	}
}

// setKey sets a key of a rule: peers stand before ports.
func setKey(rule *yaml.Node, key string, value *yaml.Node) {
	for i := 0; i+1 < len(rule.Content); i += 2 {
		if rule.Content[i].Value == key {
			rule.Content[i+1] = value
			return
		}
	}
	name := new(yaml.Node)
	name.SetString(key)
	if key == "ports" {
		rule.Content = append(rule.Content, name, value)
		return
	}
	rule.Content = slices.Insert(rule.Content, 0, name, value)
}

// nodeOf is a value of the API as YAML, in the order that people write it.
func nodeOf(value any) (*yaml.Node, error) {
	text, err := sigsyaml.Marshal(value)
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	if doc.Kind == 0 || doc.Content[0].Tag == "!!null" {
		return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}, nil
	}
	order(doc.Content[0])
	return doc.Content[0], nil
}
