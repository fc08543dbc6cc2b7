package seccomp

import (
	"fmt"
	"strconv"

	"advisor/policies"
	"advisor/policies/manifest"

	"go.yaml.in/yaml/v3"
)

// decoder reads nodes into a profile and collects what is wrong with them.
type decoder struct {
	file string
	errs []error
}

func (d *decoder) position(n *yaml.Node) policies.Position {
	return policies.Position{File: d.file, Line: n.Line, Column: n.Column}
}

func (d *decoder) fail(n *yaml.Node, format string, args ...any) {
	d.errs = append(d.errs, &manifest.Error{Position: d.position(n), Err: fmt.Errorf(format, args...)})
}

// object calls field for each key of a mapping. Null stands for an absent
// field. field is false where there is no such key.
func (d *decoder) object(n *yaml.Node, what string, field func(key string, v *yaml.Node) bool) {
	n = target(n)
	if n.Kind != yaml.MappingNode {
		d.fail(n, "%s: expected an object", what)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, v := n.Content[i], target(n.Content[i+1])
		if seen[key.Value] {
			d.fail(key, "%s: key %q is repeated", what, key.Value)
			continue
		}
		seen[key.Value] = true
		if null(v) {
			v = &yaml.Node{Kind: yaml.DocumentNode, Line: v.Line, Column: v.Column}
		}
		if !field(key.Value, v) {
			d.fail(key, "%s: unknown key %q", what, key.Value)
		}
	}
}

// list calls each for the elements of a sequence.
func (d *decoder) list(n *yaml.Node, what string, each func(v *yaml.Node)) {
	if absent(n) {
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.fail(n, "%s: expected a list", what)
		return
	}
	for _, v := range n.Content {
		each(target(v))
	}
}

func (d *decoder) text(n *yaml.Node, what string) string {
	if absent(n) {
		return ""
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		d.fail(n, "%s: expected a string", what)
		return ""
	}
	return n.Value
}

func (d *decoder) texts(n *yaml.Node, what string) []string {
	var list []string
	d.list(n, what, func(v *yaml.Node) { list = append(list, d.text(v, what)) })
	return list
}

func (d *decoder) number(n *yaml.Node, what string) uint64 {
	if absent(n) {
		return 0
	}
	v, err := strconv.ParseUint(n.Value, 10, 64)
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || err != nil {
		d.fail(n, "%s: expected a whole number from 0 to 2^64-1", what)
	}
	return v
}

// errno reads a number that may be absent.
func (d *decoder) errno(n *yaml.Node, what string) *uint {
	if absent(n) {
		return nil
	}
	v := uint(d.number(n, what))
	return &v
}

func arches(words []string) []Arch {
	var list []Arch
	for _, word := range words {
		list = append(list, Arch(word))
	}
	return list
}

// absent tells the node that stands for null.
func absent(n *yaml.Node) bool { return n.Kind == yaml.DocumentNode }

func null(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// target follows an alias; one that leads nowhere stays as it is.
func target(n *yaml.Node) *yaml.Node {
	for range maxDepth {
		if n.Kind != yaml.AliasNode || n.Alias == nil {
			return n
		}
		n = n.Alias
	}
	return n
}
