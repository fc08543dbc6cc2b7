package report

import (
	"bytes"
	"encoding/json"
	"fmt"

	"advisor/policies"
)

// cleaned is a value without what would be more than text where it is printed a line
// each: names in a trace, in a manifest or in a saved report may be those that
// somebody chose who wants to be taken for more, such as a command to the CI.
// Texts of policies and patches keep their lines.
func cleaned[T any](v T) (T, error) {
	var out T
	text, err := json.Marshal(v)
	if err != nil {
		return out, fmt.Errorf("reading the report: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return out, fmt.Errorf("reading the report: %w", err)
	}
	tree, changed := cleanTree(tree)
	if !changed {
		return v, nil
	}
	if text, err = json.Marshal(tree); err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		return out, fmt.Errorf("reading the report: %w", err)
	}
	return out, nil
}

func cleanTree(node any) (clean any, changed bool) {
	switch node := node.(type) {
	case string:
		clean := policies.OneLine(node)
		return clean, clean != node
	case []any:
		for i, v := range node {
			c, is := cleanTree(v)
			node[i], changed = c, changed || is
		}
	case map[string]any:
		for key, v := range node {
			if key == "text" {
				continue
			}
			c, is := cleanTree(v)
			node[key], changed = c, changed || is
		}
	}
	return node, changed
}
