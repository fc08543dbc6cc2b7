package manifest

import (
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// mismatch is how the JSON decoder tells of a value of another type. Its path
// has no indexes, and begins with the name of the Go type the field is in.
var mismatch = regexp.MustCompile(`cannot unmarshal (\w+) into Go struct field \w+\.(\S+) of type (\S+)`)

// typeError says of a value of another type where it stands and what belongs
// there, in words of YAML; nil where err is about something else.
func (o Object) typeError(err error) error {
	match := mismatch.FindStringSubmatch(err.Error())
	if match == nil {
		return nil
	}
	found, _, _ := strings.Cut(match[1], " ")
	fields := strings.Split(match[2], ".")
	path := find(o.node, fields, found)
	if path == nil {
		path = find(o.node, fields, "") // YAML 1.1 reads a bare n as false, and keeps it as text
	}
	return o.errorf(path, "%s: expected %s, found %s", match[2], typeWord(match[3]), foundWord(found))
}

// find is the path to the first value of the kind found, or of any where that is
// empty, that the fields lead to, through whatever lists stand between them; nil
// where there is none.
func find(node *yaml.Node, fields []string, found string) []any {
	node = resolve(node)
	switch {
	case node.Kind == yaml.SequenceNode && (len(fields) > 0 || found != "array"):
		for i := range node.Content {
			if path := find(node.Content[i], fields, found); path != nil {
				return append([]any{i}, path...)
			}
		}
		return nil
	case len(fields) == 0:
		if found == "" || jsonKind(node) == found {
			return []any{}
		}
		return nil
	case node.Kind != yaml.MappingNode:
		return nil
	}
	_, next := pair(node, fields[0])
	if next == nil {
		return nil
	}
	if path := find(next, fields[1:], found); path != nil {
		return append([]any{fields[0]}, path...)
	}
	return nil
}

// jsonKind is what the decoder calls a value.
func jsonKind(node *yaml.Node) string {
	switch node.Kind {
	case yaml.SequenceNode:
		return "array"
	case yaml.MappingNode:
		return "object"
	}
	switch node.ShortTag() {
	case "!!int", "!!float":
		return "number"
	case "!!bool":
		return "bool"
	}
	return "string"
}

// typeWord is a Go type in words of YAML.
func typeWord(goType string) string {
	switch strings.TrimPrefix(goType, "*") {
	case "string":
		return "a string"
	case "bool":
		return "true or false"
	case "int", "int32", "int64", "uint16", "uint32", "float64":
		return "a number"
	}
	if strings.HasPrefix(goType, "[]") {
		return "a list"
	}
	return "a mapping"
}

func foundWord(kind string) string {
	switch kind {
	case "array":
		return "a list"
	case "object":
		return "a mapping"
	case "bool":
		return "true or false"
	}
	return fmt.Sprintf("a %s", kind)
}
