package manifest

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// ReplaceItem writes one item of a list anew.
func (e *Editor) ReplaceItem(list *yaml.Node, i int, value *yaml.Node) error {
	from, to, err := e.item(list, i)
	if err != nil {
		return err
	}
	text, err := e.renderItem(list, value)
	if err != nil {
		return err
	}
	e.splice(from, to, text)
	return nil
}

// RemoveItem takes one of several items out of a list, with the comment lines
// above it.
func (e *Editor) RemoveItem(list *yaml.Node, i int) error {
	from, to, err := e.item(list, i)
	if err != nil {
		return err
	}
	for from > 0 && isComment(e.lines[from-1]) {
		from--
	}
	e.splice(from, to, nil)
	return nil
}

// AppendItem adds an item to a list that has some, with a comment above it.
func (e *Editor) AppendItem(list *yaml.Node, value *yaml.Node, comment string) error {
	_, to, err := e.item(list, len(list.Content)-1)
	if err != nil {
		return err
	}
	value = Clone(value)
	if comment != "" {
		value.HeadComment = "# " + comment
	}
	text, err := e.renderItem(list, value)
	if err != nil {
		return err
	}
	if !bytes.HasSuffix(e.lines[to-1], []byte("\n")) {
		text = bytes.TrimSuffix(append([]byte(e.end()), text...), []byte(e.end()))
	}
	e.splices = append(e.splices, splice{to, to, text})
	return nil
}

// splice replaces lines, of which the last may have no end.
func (e *Editor) splice(from, to int, text []byte) {
	if !bytes.HasSuffix(e.lines[to-1], []byte("\n")) {
		text = bytes.TrimSuffix(text, []byte(e.end()))
	}
	e.splices = append(e.splices, splice{from, to, text})
}

func (e *Editor) renderItem(list, value *yaml.Node) ([]byte, error) {
	compact := true
	for _, item := range list.Content {
		compact = compact && (item.Kind != yaml.MappingNode || !listsIndent(item))
	}
	return e.render(list.Column, []*yaml.Node{value}, compact)
}

// listsIndent is true where a list below a mapping begins to the right of its key.
func listsIndent(node *yaml.Node) bool {
	for i := 0; i+1 < len(node.Content) && node.Kind == yaml.MappingNode; i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if value.Kind == yaml.SequenceNode && value.Style&yaml.FlowStyle == 0 && value.Column > key.Column {
			return true
		}
	}
	return false
}

// item is the lines of one item, from its dash on, counted from 0, and the
// line behind it.
func (e *Editor) item(list *yaml.Node, i int) (from, to int, err error) {
	if list.Kind != yaml.SequenceNode || list.Style&yaml.FlowStyle != 0 || i < 0 || i >= len(list.Content) {
		return 0, 0, fmt.Errorf("%w: its list has no lines of its own", ErrNotInPlace)
	}
	node := list.Content[i]
	if node.Kind == yaml.AliasNode || node.Anchor != "" {
		return 0, 0, fmt.Errorf("%w: it is an alias, or has one", ErrNotInPlace)
	}
	from, to = node.Line-1, max(e.last(node), node.Line)
	for ; from >= 0 && from < len(e.lines); from-- {
		if line := e.lines[from]; len(line) >= list.Column && line[list.Column-1] == '-' &&
			len(bytes.TrimSpace(line[:list.Column-1])) == 0 {
			break
		}
	}
	if from < 0 || from >= len(e.lines) || to > len(e.lines) || from >= to {
		return 0, 0, fmt.Errorf("%w: it does not stand where it was read", ErrNotInPlace)
	}
	return from, to, nil
}

func isComment(line []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(line), []byte("#")) }
