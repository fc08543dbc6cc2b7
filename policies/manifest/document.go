package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"advisor/policies"

	"go.yaml.in/yaml/v3"
)

// document is one document of a file; line is the number of its first line.
type document struct {
	text []byte
	line int
}

// documents splits data at the lines that end documents or begin new ones, so
// that a broken document does not hide the ones behind it.
func documents(data []byte) []document {
	var docs []document
	current := document{line: 1}
	line := 0
	for text := range bytes.Lines(bytes.TrimPrefix(data, byteOrderMark)) {
		line++
		rest, begins := marked(text, "---")
		_, ends := marked(text, "...")
		switch {
		case begins:
			if current.onlyDirectives() {
				current.text = nil // "%YAML 1.2" speaks of the document behind it
			}
			docs = append(docs, current)
			current = document{text: rest, line: line}
		case ends:
			docs = append(docs, current)
			current = document{line: line + 1}
		default:
			current.text = append(current.text, text...)
		}
	}
	return append(docs, current)
}

// byteOrderMark is what some editors of Windows begin files with.
var byteOrderMark = []byte("\ufeff")

// errUTF16 is what a file gets that would be read up to its first "---".
var errUTF16 = errors.New("this is UTF-16, as PowerShell's > writes it: save it as UTF-8 (… | Out-File -Encoding utf8)")

func isUTF16(data []byte) bool {
	return bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff"))
}

// marked says that a line begins with a marker of YAML, alone or followed by a
// blank, and gives the line with blanks in the marker's place: what stands behind
// "---" belongs to the document, in the column where it stands.
func marked(line []byte, marker string) ([]byte, bool) {
	rest, ok := bytes.CutPrefix(line, []byte(marker))
	if !ok || len(rest) > 0 && !bytes.ContainsAny(rest[:1], " \t\r\n") {
		return nil, false
	}
	return append([]byte(strings.Repeat(" ", len(marker))), rest...), true
}

// onlyDirectives says that nothing but directives and comments is in the text.
func (d document) onlyDirectives() bool {
	for line := range bytes.Lines(d.text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '%' && line[0] != '#' {
			return false
		}
	}
	return bytes.Contains(d.text, []byte("%"))
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
		pos.Line = doc.line + max(n-1, whole(doc.text))
		text = text[match[1]:]
	}
	if template.Match(doc.text) {
		return &Error{Position: pos, Err: ErrTemplate}
	}
	return &Error{Position: pos, Err: fmt.Errorf("not YAML: %s", text)}
}

// maxTries bounds how many lines are tried.
const maxTries = 400

// whole is how many lines of a broken text are YAML by themselves. What is wrong
// is in the next one, or begins there: the parser tells where the block begins
// that it is in.
func whole(text []byte) int {
	n, end := 0, 0
	for i, line := range slices.Collect(bytes.Lines(text)) {
		if end += len(line); i == maxTries {
			break
		}
		var root yaml.Node
		if yaml.Unmarshal(text[:end], &root) == nil {
			n = i + 1
		}
	}
	if end == len(text) && n > 0 && yaml.Unmarshal(text, new(yaml.Node)) == nil {
		return 0 // it is YAML, and something else is wrong with it
	}
	return n
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
