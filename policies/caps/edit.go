package caps

import (
	"fmt"
	"slices"
	"strings"

	"advisor/policies/manifest"

	"go.yaml.in/yaml/v3"
)

// Edit sets the security context of s's container in obj, or the capabilities
// of s's service in a compose file, and returns the changed text of the file
// that obj was read from. Every byte outside of that stays; comments inside of
// it are kept, as is what it says that s knows nothing of. Objects of one file
// are edited from the last to the first.
func Edit(text []byte, obj manifest.Object, s Synthesis) ([]byte, error) {
	e := manifest.NewEditor(text)
	parent, entries, err := edits(obj, s)
	if err != nil {
		return nil, err
	}
	for _, entry := range slices.Backward(entries) {
		if err := e.Set(parent, entry.key, entry.value); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", obj.Position(), entry.key, err)
		}
	}
	return e.Bytes(), nil
}

// field is an entry of a mapping.
type field struct {
	key   string
	value *yaml.Node
}

// edits are the entries to set, and the mapping to set them in.
func edits(obj manifest.Object, s Synthesis) (*yaml.Node, []field, error) {
	if obj.Kind == "" {
		service := obj.Lookup("services", s.Workload.Name)
		if service == nil {
			return nil, nil, fmt.Errorf("%s has no service %s", obj.Position(), s.Workload.Name)
		}
		return service, serviceFields(service, s), nil
	}
	container, pod := findContainer(obj, s.Workload.Container)
	if container == nil {
		return nil, nil, fmt.Errorf("%s has no container %q", obj.Position(), s.Workload.Container)
	}
	declared := manifest.ValueOf(container, "securityContext")
	return container, []field{{"securityContext", editContext(declared, pod, s)}}, nil
}

// findContainer is the container of that name, or the only one where name is
// empty, and the pod's security context.
func findContainer(obj manifest.Object, name string) (container, pod *yaml.Node) {
	path, _ := podPath(obj.Kind)
	if path == nil {
		return nil, nil
	}
	steps := make([]any, len(path))
	for i, step := range path {
		steps[i] = step
	}
	spec := obj.Lookup(steps...)
	for _, list := range []string{"containers", "initContainers", "ephemeralContainers"} {
		items := manifest.ValueOf(spec, list)
		if items == nil {
			continue
		}
		for _, item := range items.Content {
			n := manifest.ValueOf(item, "name")
			if n != nil && n.Value == name || name == "" && len(items.Content) == 1 {
				return item, manifest.ValueOf(spec, "securityContext")
			}
		}
	}
	return nil, nil
}

// editContext is the declared security context with what s says. What the pod
// or the container says of user and seccomp stays.
func editContext(declared, pod *yaml.Node, s Synthesis) *yaml.Node {
	if declared == nil || declared.Kind != yaml.MappingNode {
		declared = mapping()
	}
	out := manifest.WithoutFoot(declared)
	out.Style = 0
	fresh := contextNode(s)
	for i := 0; i+1 < len(fresh.Content); i += 2 {
		key, value := fresh.Content[i].Value, fresh.Content[i+1]
		stated := manifest.ValueOf(out, key) != nil || manifest.ValueOf(pod, key) != nil
		switch key {
		case "capabilities":
			value = editLists(manifest.ValueOf(out, key), s, "add", "drop")
		case "readOnlyRootFilesystem":
			if have := manifest.ValueOf(out, key); have != nil && have.Value == value.Value {
				continue
			}
		case "allowPrivilegeEscalation":
		default:
			if stated {
				continue
			}
		}
		setEntry(out, key, value)
	}
	remove(out, "privileged")
	return out
}

// editLists is a mapping with a list of what to add and one of what to drop.
func editLists(declared *yaml.Node, s Synthesis, add, drop string) *yaml.Node {
	if declared == nil || declared.Kind != yaml.MappingNode {
		declared = mapping()
	}
	out := manifest.Clone(declared)
	out.Style = 0
	if len(s.Add) > 0 {
		setEntry(out, add, editList(manifest.ValueOf(out, add), s, s.Add))
	} else {
		remove(out, add)
	}
	setEntry(out, drop, editList(manifest.ValueOf(out, drop), s, s.Drop))
	return out
}

// editList keeps the items, with their comments, that are wanted, and adds the
// others.
func editList(declared *yaml.Node, s Synthesis, want []string) *yaml.Node {
	out := sequence()
	var have []string
	if declared != nil && declared.Kind == yaml.SequenceNode {
		out = manifest.WithoutFoot(declared)
		out.Content = slices.DeleteFunc(out.Content, func(n *yaml.Node) bool {
			return !slices.Contains(want, bare(n.Value))
		})
		for _, n := range out.Content {
			have = append(have, bare(n.Value))
		}
	}
	for _, n := range names(s, want).Content {
		if !slices.Contains(have, n.Value) {
			out.Style &^= yaml.FlowStyle // comments want lines
			out.Content = append(out.Content, n)
		}
	}
	return out
}

// serviceFields are the entries of a compose service.
func serviceFields(service *yaml.Node, s Synthesis) []field {
	fields := []field{{"cap_drop", editList(manifest.ValueOf(service, "cap_drop"), s, s.Drop)}}
	add := manifest.ValueOf(service, "cap_add")
	if len(s.Add) > 0 || add != nil {
		fields = append(fields, field{"cap_add", editList(add, s, s.Add)})
	}
	closed := s.Security.AllowPrivilegeEscalation
	if closed != nil && !*closed && manifest.ValueOf(service, "security_opt") == nil {
		fields = append(fields, field{"security_opt", sequence(scalar("no-new-privileges:true"))})
	}
	if len(s.Security.Tmpfs) > 0 {
		fields = append(fields, field{"tmpfs", moreTmpfs(manifest.ValueOf(service, "tmpfs"), s.Security.Tmpfs)})
	}
	if sealed := s.Security.ReadOnlyRootFilesystem; sealed != nil {
		fields = append(fields, field{"read_only", boolean(*sealed)})
	}
	if manifest.ValueOf(service, "privileged") != nil {
		fields = append(fields, field{"privileged", boolean(false)})
	}
	return fields
}

// moreTmpfs is what is declared, one or a list, with more behind it.
func moreTmpfs(declared *yaml.Node, more []string) *yaml.Node {
	out := sequence()
	switch {
	case declared == nil:
	case declared.Kind == yaml.SequenceNode:
		out = manifest.WithoutFoot(declared)
	case declared.Kind == yaml.ScalarNode:
		out.Content = []*yaml.Node{manifest.Clone(declared)}
	}
	out.Content = append(out.Content, scalars(more).Content...)
	return out
}

// setEntry sets one entry of a mapping, and keeps what was said of it: of a value
// with lines of its own that stands behind the key.
func setEntry(node *yaml.Node, key string, value *yaml.Node) {
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, old := node.Content[i], node.Content[i+1]
		if name.Value != key {
			continue
		}
		var comments []string
		for _, c := range []string{name.LineComment, value.LineComment, old.LineComment} {
			if c != "" && !slices.Contains(comments, c) {
				comments = append(comments, c)
			}
		}
		said := strings.Join(comments, " ")
		name.LineComment, value.LineComment = "", said
		if value.Kind != yaml.ScalarNode && value.Style&yaml.FlowStyle == 0 && len(value.Content) > 0 {
			name.LineComment, value.LineComment = said, ""
		}
		node.Content[i+1] = value
		return
	}
	node.Content = append(node.Content, scalar(key), value)
}

func remove(node *yaml.Node, key string) {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			node.Content = slices.Delete(node.Content, i, i+2)
			return
		}
	}
}
