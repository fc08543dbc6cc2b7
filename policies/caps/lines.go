package caps

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// editor changes entries of mappings in the lines of a text.
type editor struct {
	lines   [][]byte // with their ends
	splices []splice
}

// splice replaces lines from from up to to, counted from 0.
type splice struct {
	from, to int
	text     []byte
}

// set gives an entry of a mapping that stands in the text a new value, or adds
// it behind the mapping's first entry.
func (e *editor) set(parent *yaml.Node, key string, value *yaml.Node) error {
	if parent.Kind != yaml.MappingNode || parent.Style&yaml.FlowStyle != 0 ||
		len(parent.Content) < 2 {
		return fmt.Errorf("%w: its parent has no lines of its own", ErrNotInPlace)
	}
	for i := 0; i+1 < len(parent.Content); i += 2 {
		if parent.Content[i].Value != key {
			continue
		}
		if parent.Content[i+1].Kind == yaml.AliasNode {
			return fmt.Errorf("%w: it is an alias", ErrNotInPlace)
		}
		return e.replace(parent.Content[i], parent.Content[i+1], value)
	}
	first, after := parent.Content[0], e.last(parent.Content[1])
	after = max(after, first.Line)
	text, err := e.render(first.Column, scalar(key), value, false)
	if err != nil {
		return err
	}
	if line := e.lines[after-1]; !bytes.HasSuffix(line, []byte("\n")) {
		text = bytes.TrimSuffix(append([]byte(e.end()), text...), []byte(e.end()))
	}
	e.splices = append(e.splices, splice{after, after, text})
	return nil
}

// replace writes an entry anew. It begins where its key stands, which may be
// behind the dash of a list.
func (e *editor) replace(key, old, value *yaml.Node) error {
	from, to := key.Line-1, max(e.last(old), key.Line)
	if from >= len(e.lines) || to > len(e.lines) || key.Column > len(e.lines[from])+1 {
		return fmt.Errorf("%w: it does not stand where it was read", ErrNotInPlace)
	}
	bare := *key
	bare.HeadComment, bare.FootComment = "", ""
	compact := sequencesAlign(key, old)
	text, err := e.render(key.Column, &bare, value, compact)
	if err != nil {
		return err
	}
	lead := e.lines[from][:key.Column-1]
	text = append(bytes.Clone(lead), text[key.Column-1:]...)
	if !bytes.HasSuffix(e.lines[to-1], []byte("\n")) {
		text = bytes.TrimSuffix(text, []byte("\n"))
	}
	e.splices = append(e.splices, splice{from, to, text})
	return nil
}

// render is an entry as lines that begin in a column.
func (e *editor) render(column int, key, value *yaml.Node, compact bool) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if compact {
		enc.CompactSeqIndent()
	}
	if err := enc.Encode(mapping([]*yaml.Node{key, value})); err != nil {
		return nil, err
	}
	if err := enc.Close(); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	indent := strings.Repeat(" ", column-1)
	for line := range bytes.Lines(b.Bytes()) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) > 0 {
			out.WriteString(indent)
		}
		out.Write(line)
		out.WriteString(e.end())
	}
	return out.Bytes(), nil
}

// end is how the text ends its lines.
func (e *editor) end() string {
	if len(e.lines) > 0 && bytes.HasSuffix(e.lines[0], []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}

// last is the line, counted from 1, on which a value ends.
func (e *editor) last(node *yaml.Node) int {
	line := node.Line
	for _, c := range node.Content {
		line = max(line, e.last(c))
	}
	if node.Style&yaml.FlowStyle != 0 {
		line = max(line, e.closing(node))
	}
	return line
}

// closing is the line of the bracket that ends a flow collection.
func (e *editor) closing(node *yaml.Node) int {
	depth, quote := 0, byte(0)
	column := node.Column - 1
	for i := node.Line - 1; i < len(e.lines); i++ {
		for _, c := range e.lines[i][min(column, len(e.lines[i])):] {
			switch {
			case quote != 0:
				if c == quote {
					quote = 0
				}
			case c == '"' || c == '\'':
				quote = c
			case c == '[' || c == '{':
				depth++
			case c == ']' || c == '}':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
		column = 0
	}
	return node.Line
}

// sequencesAlign is true where lists below key begin in the column of their
// own keys, as kubectl writes them.
func sequencesAlign(key, value *yaml.Node) bool {
	if value.Kind == yaml.SequenceNode && value.Style&yaml.FlowStyle == 0 {
		return value.Column == key.Column
	}
	for i := 0; i+1 < len(value.Content) && value.Kind == yaml.MappingNode; i += 2 {
		if sequencesAlign(value.Content[i], value.Content[i+1]) {
			return true
		}
	}
	return false
}

// withoutFoot drops the comments behind the last lines of a value, which stay
// where they are in the text.
func withoutFoot(node *yaml.Node) *yaml.Node {
	out := cloned(node)
	for n := out; n != nil; {
		n.FootComment = ""
		if len(n.Content) == 0 {
			break
		}
		if n.Kind == yaml.MappingNode {
			n.Content[len(n.Content)-2].FootComment = ""
		}
		n = n.Content[len(n.Content)-1]
	}
	return out
}
