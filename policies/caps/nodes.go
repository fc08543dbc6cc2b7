package caps

import (
	"bytes"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// contextNode is the body of a container's securityContext.
func contextNode(s Synthesis) *yaml.Node {
	var fields []*yaml.Node
	sec := s.Security
	if sec.AllowPrivilegeEscalation != nil {
		fields = append(fields,
			entryOf("allowPrivilegeEscalation", boolean(*sec.AllowPrivilegeEscalation))...)
	}
	lists := entryOf("drop", names(s, s.Drop))
	if len(s.Add) > 0 {
		lists = append(entryOf("add", names(s, s.Add)), lists...)
	}
	fields = append(fields, entryOf("capabilities", mapping(lists))...)
	if sec.ReadOnlyRootFilesystem != nil {
		sealed := boolean(*sec.ReadOnlyRootFilesystem)
		sealed.LineComment = rootComment(s)
		fields = append(fields, entryOf("readOnlyRootFilesystem", sealed)...)
	}
	if sec.RunAsGroup != nil {
		fields = append(fields, entryOf("runAsGroup", number(*sec.RunAsGroup))...)
	}
	if sec.RunAsNonRoot != nil {
		fields = append(fields, entryOf("runAsNonRoot", boolean(*sec.RunAsNonRoot))...)
	}
	if sec.RunAsUser != nil {
		fields = append(fields, entryOf("runAsUser", number(*sec.RunAsUser))...)
	}
	if sec.SeccompType != "" {
		fields = append(fields, entryOf("seccompProfile", seccompNode(sec))...)
	}
	return mapping(fields)
}

// rootComment is the evidence for readOnlyRootFilesystem.
func rootComment(s Synthesis) string {
	switch {
	case s.Root.untouched():
		return "nothing was written to it"
	case len(s.Root.Written) > 0:
		return "written to in " + printable(strings.Join(s.Root.Written, ", "))
	}
	return "verified"
}

// sealing says which volumes it takes for the root file system to be read-only,
// where it is not without. They are the pod's, so a container's security context
// cannot have them.
func sealing(s Synthesis) string {
	if len(s.Security.Tmpfs) == 0 {
		return ""
	}
	return "With an emptyDir mounted at " + printable(strings.Join(s.Security.Tmpfs, ", ")) +
		", readOnlyRootFilesystem: true is possible."
}

func seccompNode(sec Security) *yaml.Node {
	if sec.SeccompProfile == "" {
		return mapping(entryOf("type", scalar(sec.SeccompType)))
	}
	return mapping(
		entryOf("localhostProfile", scalar(sec.SeccompProfile)), entryOf("type", scalar(sec.SeccompType)))
}

// names is a list of capabilities with the evidence of each as its comment.
func names(s Synthesis, list []string) *yaml.Node {
	seq := sequence()
	for _, name := range list {
		node := scalar(name)
		node.LineComment = evidence(s, name)
		seq.Content = append(seq.Content, node)
	}
	return seq
}

func entryOf(key string, value *yaml.Node) []*yaml.Node { return []*yaml.Node{scalar(key), value} }

func mapping(entries ...[]*yaml.Node) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, e := range entries {
		node.Content = append(node.Content, e...)
	}
	return node
}

func sequence(items ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: items}
}

func scalars(values []string) *yaml.Node {
	seq := sequence()
	for _, value := range values {
		seq.Content = append(seq.Content, scalar(value))
	}
	return seq
}

func scalar(value string) *yaml.Node {
	node := new(yaml.Node)
	node.SetString(value)
	return node
}

func boolean(b bool) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(b)}
}

func number(n int64) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.FormatInt(n, 10)}
}

// encode writes a document, with a comment before it where there is one.
func encode(node *yaml.Node, comment string) ([]byte, error) {
	var b bytes.Buffer
	if comment != "" {
		b.WriteString("# " + comment + "\n")
	}
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(node); err != nil {
		return nil, err
	}
	return b.Bytes(), enc.Close()
}
