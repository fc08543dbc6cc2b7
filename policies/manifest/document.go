package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"advisor/policies"

	"go.yaml.in/yaml/v3"
)

// document is one document of a file; line is the number of its first line.
type document struct {
	text []byte
	line int
}

// documents splits data at its "---" lines, so that a broken document does not
// hide the ones behind it.
func documents(data []byte) []document {
	var docs []document
	current := document{line: 1}
	line := 0
	for text := range bytes.Lines(data) {
		line++
		if isSeparator(text) {
			docs = append(docs, current)
			current = document{line: line + 1}
			continue
		}
		current.text = append(current.text, text...)
	}
	return append(docs, current)
}

// isSeparator is true for "---" alone or followed by a comment. Text after it
// on the line starts the document in YAML, but nobody writes manifests so.
func isSeparator(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("---"))
	rest = bytes.TrimSpace(rest)
	return ok && (len(rest) == 0 || rest[0] == '#')
}

var (
	yamlLine = regexp.MustCompile(`(?:yaml: )?line (\d+): `)
	template = regexp.MustCompile(`\{\{[^}]*\}\}`)
)

// ErrTemplate is what a Helm chart's own files get.
var ErrTemplate = errors.New("this is a template, not YAML: render it first (helm template … | advisor … -m -)")

func syntaxError(file string, doc document, err error) error {
	pos := policies.Position{File: file, Line: doc.line}
	text := err.Error()
	if match := yamlLine.FindStringSubmatchIndex(text); match != nil {
		n, _ := strconv.Atoi(text[match[2]:match[3]])
		pos.Line = doc.line + n - 1
		text = text[match[1]:]
	}
	if template.Match(doc.text) {
		return &Error{Position: pos, Err: ErrTemplate}
	}
	return &Error{Position: pos, Err: fmt.Errorf("not YAML: %s", text)}
}

// shiftLines turns lines of the document into lines of the file.
func shiftLines(node *yaml.Node, by int, seen map[*yaml.Node]bool) {
	if seen[node] {
		return
	}
	seen[node] = true
	node.Line += by
	for _, c := range node.Content {
		shiftLines(c, by, seen)
	}
	if node.Alias != nil {
		shiftLines(node.Alias, by, seen)
	}
}
