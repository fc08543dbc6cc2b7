package manifest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"advisor/policies"

	"go.yaml.in/yaml/v3"
)

// Node is the object's own mapping, for edits in place.
func (o Object) Node() *yaml.Node { return o.node }

// Keys are those of the object's own mapping, as they are written.
func (o Object) Keys() []string {
	var keys []string
	for i := 0; i+1 < len(o.node.Content) && o.node.Kind == yaml.MappingNode; i += 2 {
		keys = append(keys, o.node.Content[i].Value)
	}
	return keys
}

// Lookup returns the node at path, whose steps are keys (string) and list
// indexes (int), or nil.
func (o Object) Lookup(path ...any) *yaml.Node {
	node := o.node
	for _, step := range path {
		if node = child(node, step); node == nil {
			return nil
		}
	}
	return node
}

// Position is the place of the node at path, or of the nearest of its
// ancestors that exists. The place of a field is that of its key.
func (o Object) Position(path ...any) policies.Position {
	node, at := o.node, o.node
	for _, step := range path {
		next := child(node, step)
		if next == nil {
			break
		}
		at = next
		if name, ok := step.(string); ok {
			at = key(node, name)
		}
		node = next
	}
	pos := policies.Position{File: o.File}
	if at != nil {
		pos.Line, pos.Column = at.Line, at.Column
	}
	return pos
}

func child(node *yaml.Node, step any) *yaml.Node {
	node = resolve(node)
	switch step := step.(type) {
	case string:
		return value(node, step)
	case int:
		if node.Kind == yaml.SequenceNode && step >= 0 && step < len(node.Content) {
			return resolve(node.Content[step])
		}
	}
	return nil
}

func key(node *yaml.Node, name string) *yaml.Node {
	k, _ := pair(node, name)
	return k
}

func value(node *yaml.Node, name string) *yaml.Node {
	_, v := pair(node, name)
	return v
}

// pair finds a key of a mapping and its value, or nil and nil.
func pair(node *yaml.Node, name string) (k, v *yaml.Node) {
	if node = resolve(node); node.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == name {
			return node.Content[i], resolve(node.Content[i+1])
		}
	}
	return nil, nil
}

// ValueOf is the value of a key as it is written, an alias unresolved; nil where
// node is no mapping or has no such key.
func ValueOf(node *yaml.Node, key string) *yaml.Node {
	if node == nil || node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}

// resolve follows an alias to what it stands for.
func resolve(node *yaml.Node) *yaml.Node {
	for node.Kind == yaml.AliasNode && node.Alias != nil {
		node = node.Alias
	}
	return node
}

func word(node *yaml.Node) string {
	switch node.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		return fmt.Sprintf("%.40q", node.Value)
	}
	return "something else"
}

var fieldPath = regexp.MustCompile(`(?:field|into Go struct field) "?([^"\s]+)"?`)

// pathOf finds the field that an error of the JSON decoder names, such as
// `unknown field "spec.ingress[0].form"`, as the steps that lead to it.
func pathOf(message string) []any {
	match := fieldPath.FindStringSubmatch(message)
	if match == nil {
		return nil
	}
	var path []any
	for _, part := range strings.Split(match[1], ".") {
		key, rest, _ := strings.Cut(part, "[")
		path = append(path, key)
		for rest != "" {
			index, more, _ := strings.Cut(rest, "]")
			if n, err := strconv.Atoi(index); err == nil {
				path = append(path, n)
			}
			rest = strings.TrimPrefix(more, "[")
		}
	}
	return path
}
