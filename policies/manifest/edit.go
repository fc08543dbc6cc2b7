package manifest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ErrNotInPlace says that a manifest is written in a way that leaves no lines
// of its own to what is to be changed: as JSON, in braces, or by an alias.
var ErrNotInPlace = errors.New("cannot be edited in place")

// Editor changes parts of objects in the lines of the text that they were read
// from. Every byte outside of a changed part stays, and so do comments above
// and behind it.
type Editor struct {
	lines   [][]byte // with their ends
	splices []splice
}

// NewEditor is an editor of a file's text.
func NewEditor(text []byte) *Editor {
	return &Editor{lines: bytes.SplitAfter(text, []byte("\n"))}
}

// Bytes is the text with all changes. Nothing may be changed twice.
func (e *Editor) Bytes() []byte {
	slices.SortStableFunc(e.splices, func(a, b splice) int {
		return cmp.Or(b.from-a.from, b.to-a.to)
	})
	lines := slices.Clone(e.lines)
	for _, sp := range e.splices {
		lines = slices.Replace(lines, sp.from, sp.to, sp.text)
	}
	return bytes.Join(lines, nil)
}

// splice replaces lines from from up to to, counted from 0.
type splice struct {
	from, to int
	text     []byte
}

// Set gives an entry of a mapping that stands in the text a new value, or adds
// it behind the mapping's first entry.
func (e *Editor) Set(parent *yaml.Node, key string, value *yaml.Node) error {
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
	text, err := e.render(first.Column, []*yaml.Node{stringNode(key), value}, false)
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
func (e *Editor) replace(key, old, value *yaml.Node) error {
	from, to := key.Line-1, max(e.last(old), key.Line)
	if from >= len(e.lines) || to > len(e.lines) || key.Column > len(e.lines[from])+1 {
		return fmt.Errorf("%w: it does not stand where it was read", ErrNotInPlace)
	}
	bare := *key
	bare.HeadComment, bare.FootComment = "", ""
	compact := sequencesAlign(key, old)
	text, err := e.render(key.Column, []*yaml.Node{&bare, value}, compact)
	if err != nil {
		return err
	}
	text = withComment(text, e.behind(old))
	lead := e.lines[from][:key.Column-1]
	text = append(bytes.Clone(lead), text[key.Column-1:]...)
	if !bytes.HasSuffix(e.lines[to-1], []byte("\n")) {
		text = bytes.TrimSuffix(text, []byte("\n"))
	}
	e.splices = append(e.splices, splice{from, to, text})
	return nil
}

// withComment puts a comment behind the first line of a text that lacks it.
func withComment(text []byte, comment string) []byte {
	line, rest, _ := bytes.Cut(text, []byte("\n"))
	if comment == "" || bytes.Contains(text, []byte(comment)) {
		return text
	}
	bare, isWindows := bytes.CutSuffix(line, []byte("\r"))
	line = append(append(bytes.Clone(bare), ' '), comment...)
	if isWindows {
		line = append(line, '\r')
	}
	return append(append(line, '\n'), rest...)
}

func stringNode(text string) *yaml.Node {
	node := new(yaml.Node)
	node.SetString(text)
	return node
}

// render is the entry of a mapping, or one item of a list, as lines that begin
// in a column.
func (e *Editor) render(column int, part []*yaml.Node, compact bool) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if compact {
		enc.CompactSeqIndent()
	}
	whole := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: part}
	if len(part) == 1 {
		whole.Kind, whole.Tag = yaml.SequenceNode, "!!seq"
	}
	if err := enc.Encode(whole); err != nil {
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
func (e *Editor) end() string {
	if len(e.lines) > 0 && bytes.HasSuffix(e.lines[0], []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
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

// WithoutFoot is a copy without the comments behind the last lines of a value,
// which stay where they are in the text.
func WithoutFoot(node *yaml.Node) *yaml.Node {
	out := Clone(node)
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

// Clone is a deep copy. Aliases in it keep what they stand for.
func Clone(node *yaml.Node) *yaml.Node {
	out := *node
	out.Content = make([]*yaml.Node, len(node.Content))
	for i, c := range node.Content {
		out.Content[i] = Clone(c)
	}
	return &out
}
