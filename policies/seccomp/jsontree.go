package seccomp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"advisor/policies"
	"advisor/policies/manifest"

	"go.yaml.in/yaml/v3"
)

// maxDepth is deeper than any profile and shallow enough for any stack.
const maxDepth = 64

// tree builds nodes with places from JSON, so that one decoder serves both
// languages. YAML's own parser does not take all of JSON.
type tree struct {
	file string
	data []byte
	dec  *json.Decoder
	// at counts lines up to an offset, which only grows.
	at, line, start int
}

func jsonTree(file string, data []byte) (*yaml.Node, error) {
	t := &tree{file: file, data: data, dec: json.NewDecoder(bytes.NewReader(data)), line: 1}
	t.dec.UseNumber()
	root, err := t.value(0)
	if err == nil {
		if _, more := t.dec.Token(); more != io.EOF {
			err = errors.New("text after the profile")
		}
	}
	if err != nil {
		line, column := t.place(int(t.dec.InputOffset()))
		return nil, &manifest.Error{
			Position: policies.Position{File: file, Line: line, Column: column},
			Err:      fmt.Errorf("not JSON: %w", err),
		}
	}
	return root, nil
}

// place is the line and column of the first byte of a token at or behind offset.
func (t *tree) place(offset int) (line, column int) {
	for offset < len(t.data) && bytes.IndexByte([]byte(" \t\r\n,:"), t.data[offset]) >= 0 {
		offset++
	}
	for ; t.at < offset; t.at++ {
		if t.data[t.at] == '\n' {
			t.line++
			t.start = t.at + 1
		}
	}
	return t.line, offset - t.start + 1
}

func (t *tree) value(depth int) (*yaml.Node, error) {
	line, column := t.place(int(t.dec.InputOffset()))
	token, err := t.dec.Token()
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, errors.New("nested too deeply")
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Line: line, Column: column}
	switch v := token.(type) {
	case json.Delim:
		return n, t.inside(n, v, depth)
	case string:
		n.Tag, n.Value = "!!str", v
	case json.Number:
		n.Tag, n.Value = "!!int", v.String()
	case bool:
		n.Tag, n.Value = "!!bool", fmt.Sprint(v)
	default:
		n.Tag, n.Value = "!!null", "null"
	}
	return n, nil
}

// inside reads the elements of an object or array up to its end.
func (t *tree) inside(n *yaml.Node, open json.Delim, depth int) error {
	n.Kind, n.Tag = yaml.MappingNode, "!!map"
	if open == '[' {
		n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
	}
	for t.dec.More() {
		element, err := t.value(depth + 1)
		if err != nil {
			return err
		}
		n.Content = append(n.Content, element)
	}
	_, err := t.dec.Token()
	return err
}
