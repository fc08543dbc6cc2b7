package manifest

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// last is the line, counted from 1, on which a value ends. The parser only says
// where values begin.
func (e *Editor) last(node *yaml.Node) int {
	line := node.Line
	for _, c := range node.Content {
		line = max(line, e.last(c))
	}
	switch {
	case node.Kind == yaml.ScalarNode:
		return max(line, e.lastOfScalar(node))
	case node.Style&yaml.FlowStyle != 0:
		at, _ := e.closing(node)
		return max(line, at)
	}
	return line
}

func (e *Editor) lastOfScalar(node *yaml.Node) int {
	switch {
	case node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return e.lastOfBlock(node)
	case node.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		at, _ := e.closing(node)
		return at
	}
	return e.lastOfPlain(node)
}

// lastOfBlock is the last line of a text behind "|" or ">": all that are empty or
// indented as much as its first.
func (e *Editor) lastOfBlock(node *yaml.Node) int {
	value := strings.TrimLeft(node.Value, "\n")
	if value == "" {
		return node.Line
	}
	lead := len(value) - len(strings.TrimLeft(value, " "))
	last, indent := node.Line, -1
	for i := node.Line; i < len(e.lines); i++ {
		line := bytes.TrimRight(e.lines[i], " \r\n")
		if len(line) == 0 {
			continue
		}
		have := len(line) - len(bytes.TrimLeft(line, " "))
		if indent < 0 {
			indent = have - lead
		}
		if have < indent {
			break
		}
		last = i + 1
	}
	return last
}

// lastOfPlain is the last line of a text without quotes, which goes on until all
// of its words were there.
func (e *Editor) lastOfPlain(node *yaml.Node) int {
	words := len(strings.Fields(node.Value))
	for i := node.Line - 1; i >= 0 && i < len(e.lines); i++ {
		line := e.lines[i]
		if i == node.Line-1 {
			line = line[offset(line, node.Column):]
		}
		words -= len(bytes.Fields(withoutComment(line)))
		if words <= 0 {
			return i + 1
		}
	}
	return node.Line
}

// withoutComment is a line of plain text up to its comment.
func withoutComment(line []byte) []byte {
	for _, mark := range []string{" #", "\t#"} {
		if at := bytes.Index(line, []byte(mark)); at >= 0 {
			line = line[:at]
		}
	}
	if bytes.HasPrefix(line, []byte("#")) {
		return nil
	}
	return line
}

// closing is the line, counted from 1, and the byte behind what ends a value in
// brackets or quotes.
func (e *Editor) closing(node *yaml.Node) (line, end int) {
	var s scanner
	for i := node.Line - 1; i >= 0 && i < len(e.lines); i++ {
		from := 0
		if i == node.Line-1 {
			from = offset(e.lines[i], node.Column)
		}
		if at := s.scan(e.lines[i], from); at >= 0 {
			return i + 1, at
		}
	}
	return node.Line, 0
}

// scanner goes through a value in brackets or quotes until it ends.
type scanner struct {
	depth int
	quote byte // 0 outside of quotes
}

// scan is the byte behind the end of the value, or -1 where it is not on the line.
func (s *scanner) scan(line []byte, from int) int {
	blank := true // before the byte at hand: only there a quote or a comment begins
	for i := from; i < len(line); i++ {
		c := line[i]
		switch {
		case s.quote == '"' && c == '\\':
			i++
		case s.quote != 0:
			if c != s.quote {
				break
			}
			if c == '\'' && i+1 < len(line) && line[i+1] == '\'' {
				i++ // a quote in quotes
				break
			}
			if s.quote = 0; s.depth == 0 {
				return i + 1
			}
		case c == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t'):
			return -1
		case (c == '"' || c == '\'') && blank:
			s.quote = c
		case c == '[' || c == '{':
			s.depth++
		case c == ']' || c == '}':
			if s.depth--; s.depth == 0 {
				return i + 1
			}
		}
		blank = strings.IndexByte(" \t[{,:", c) >= 0
	}
	return -1
}

// offset is the byte at which a column, counted from 1 in characters, begins.
func offset(line []byte, column int) int {
	at := 0
	if bytes.HasPrefix(line, byteOrderMark) {
		at = len(byteOrderMark)
	}
	for n := 1; n < column && at < len(line); n++ {
		_, size := utf8.DecodeRune(line[at:])
		at += size
	}
	return at
}

// behind is the comment behind a value in brackets, "" where there is none.
func (e *Editor) behind(node *yaml.Node) string {
	if node.Style&yaml.FlowStyle == 0 {
		return ""
	}
	line, end := e.closing(node)
	rest := bytes.TrimSpace(e.lines[line-1][min(end, len(e.lines[line-1])):])
	if !bytes.HasPrefix(rest, []byte("#")) {
		return ""
	}
	return string(rest)
}
