// Package manifest turns the text of manifests into objects that know where
// they stand: YAML or JSON, several documents in a file, Lists unwrapped.
//
// It reads text, not files. One bad document never spoils the others of its
// file: what can be read is returned beside the errors.
package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"advisor/policies"

	"go.yaml.in/yaml/v3"
	k8sjson "sigs.k8s.io/json"
	sigsyaml "sigs.k8s.io/yaml"
)

// Object is one object of a manifest: a document, or an item of a List.
type Object struct {
	APIVersion string
	Kind       string
	Namespace  string // empty where the manifest names none
	Name       string
	File       string
	node       *yaml.Node // the object's mapping, with its lines
	body       []byte     // the same as JSON
}

// Error is something wrong at a place in a manifest.
type Error struct {
	policies.Position
	Err error
}

// Error is "file:line:column: what is wrong".
func (e *Error) Error() string { return e.Position.String() + ": " + e.Err.Error() }

// Unwrap gives the cause without its place.
func (e *Error) Unwrap() error { return e.Err }

// Read returns the objects in data, the text of file, and what is wrong with
// the rest. Documents that are empty, and mappings without a kind that are not
// a Kubernetes object, come as objects with an empty Kind.
func Read(file string, data []byte) ([]Object, []error) {
	if isUTF16(data) {
		at := policies.Position{File: file, Line: 1, Column: 1}
		return nil, []error{&Error{Position: at, Err: errUTF16}}
	}
	var objects []Object
	var errs []error
	for _, doc := range documents(data) {
		found, err := readDocument(file, doc)
		errs = append(errs, each(err)...)
		objects = append(objects, found...)
	}
	return objects, errs
}

// each takes joined errors apart, so that every one keeps its place.
func each(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, each(e)...)
		}
		return all
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

func readDocument(file string, doc document) ([]Object, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(doc.text, &root); err != nil {
		return nil, syntaxError(file, doc, err)
	}
	if root.Kind == 0 || len(root.Content) == 0 || root.Content[0].Tag == "!!null" {
		return nil, nil
	}
	shiftLines(&root, doc.line-1, map[*yaml.Node]bool{})
	if key := twice(root.Content[0], map[*yaml.Node]bool{}); key != nil {
		return nil, &Error{Position: policies.Position{File: file, Line: key.Line, Column: key.Column},
			Err: fmt.Errorf("not YAML: key %q already set in map", key.Value)}
	}
	body, err := sigsyaml.YAMLToJSON(doc.text)
	if err != nil {
		return nil, syntaxError(file, doc, err)
	}
	return unwrap(Object{File: file, node: root.Content[0], body: body})
}

// twice is the first key that a mapping has had before, nil where there is none.
// What a mapping takes over with "<<" it may set again: that is what it is for.
func twice(node *yaml.Node, seen map[*yaml.Node]bool) *yaml.Node {
	if seen[node] {
		return nil
	}
	seen[node] = true
	keys := make(map[string]bool)
	for i, c := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 0 && c.Kind == yaml.ScalarNode {
			if keys[c.Value] {
				return c
			}
			keys[c.Value] = true
		}
		if key := twice(c, seen); key != nil {
			return key
		}
	}
	return nil
}

// unwrap fills in what identifies the object, and takes Lists apart.
func unwrap(o Object) ([]Object, error) {
	if o.node.Kind != yaml.MappingNode {
		return nil, o.errorf(nil, "expected an object with apiVersion and kind, found %s", word(o.node))
	}
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Metadata   struct {
			Name      string `json:"name"`
			Namespace string `json:"namespace"`
		} `json:"metadata"`
		Items []json.RawMessage `json:"items"`
	}
	if err := k8sjson.UnmarshalCaseSensitivePreserveInts(o.body, &head); err != nil {
		return nil, o.errorf(nil, "%w", err)
	}
	// A name that ends a line would begin another one of whatever it is printed in.
	o.APIVersion, o.Kind = policies.OneLine(head.APIVersion), policies.OneLine(head.Kind)
	o.Name, o.Namespace = policies.OneLine(head.Metadata.Name), policies.OneLine(head.Metadata.Namespace)
	if o.Kind != "" && template.MatchString(o.Name+" "+o.Namespace) {
		return nil, o.errorf([]any{"metadata"}, "%w", ErrTemplate)
	}
	if items := o.Lookup("items"); strings.HasSuffix(o.Kind, "List") && items != nil {
		return unwrapList(o, head.Items, items)
	}
	return []Object{o}, nil
}

// unwrapList returns the items of a List. Items of a typed list may leave out
// their kind, which is then the list's without "List".
func unwrapList(list Object, items []json.RawMessage, node *yaml.Node) ([]Object, error) {
	var objects []Object
	var errs []error
	for i, body := range items {
		if i >= len(node.Content) {
			return objects, list.errorf(nil, "items of the list do not line up with its text")
		}
		item := Object{File: list.File, node: resolve(node.Content[i]), body: body}
		found, err := unwrap(item)
		errs = append(errs, err)
		for _, o := range found {
			if o.Kind == "" && list.Kind != "List" {
				o.Kind, o.APIVersion = strings.TrimSuffix(list.Kind, "List"), list.APIVersion
			}
			objects = append(objects, o)
		}
	}
	return objects, errors.Join(errs...)
}

// In is the object as it is when it is applied in a namespace: one that names none
// gets it, unless its kind has none.
func (o Object) In(namespace string) Object {
	if o.Namespace != "" || namespace == "" || o.Kind == "" || o.ofCluster() {
		return o
	}
	var body map[string]json.RawMessage
	var meta map[string]json.RawMessage
	if json.Unmarshal(o.body, &body) != nil || json.Unmarshal(body["metadata"], &meta) != nil || meta == nil {
		return o // there is no metadata to put it in
	}
	quoted, err := json.Marshal(namespace)
	if err != nil {
		return o
	}
	meta["namespace"] = quoted
	if body["metadata"], err = json.Marshal(meta); err != nil {
		return o
	}
	if text, err := json.Marshal(body); err == nil {
		o.Namespace, o.body = namespace, text
	}
	return o
}

// Group is the API group that the object's apiVersion names, "" for the core one.
func (o Object) Group() string {
	group, _, found := strings.Cut(o.APIVersion, "/")
	if !found {
		return ""
	}
	return group
}

// Foreign says that the object's kind is one of Kubernetes in name only: another
// API has one that is called the same, such as Volcano's Job and Knative's Service.
func (o Object) Foreign() bool {
	var groups []string // that have had the kind
	switch o.Kind {
	case "Pod", "PodTemplate", "ReplicationController", "Service", "Endpoints", "Namespace", "Node":
		groups = []string{""}
	case "Deployment", "DaemonSet", "ReplicaSet", "StatefulSet":
		groups = []string{"", "apps", "extensions"}
	case "Job", "CronJob":
		groups = []string{"", "batch", "extensions"}
	case "EndpointSlice":
		groups = []string{"", "discovery.k8s.io"}
	default:
		return false
	}
	return !slices.Contains(groups, o.Group())
}

// ofCluster says that objects of the kind are in no namespace; of all such kinds
// only those matter that somebody reads.
func (o Object) ofCluster() bool {
	switch o.Kind {
	case "Namespace", "Node":
		return true
	case "SeccompProfile": // namespaced until v1
		return strings.HasSuffix(o.APIVersion, "/v1")
	}
	return false
}

// Decode reads the object into a typed value as strictly as the API server
// does with strict field validation: unknown, misspelt and duplicate keys and
// values of another type are errors, each at its place where that is known.
// What can be read is in into even then.
func (o Object) Decode(into any) []error {
	strict, err := k8sjson.UnmarshalStrict(o.body, into)
	if err != nil {
		if mismatch := o.typeError(err); mismatch != nil {
			return []error{mismatch}
		}
		return []error{o.errorf(pathOf(err.Error()), "%w", err)}
	}
	var errs []error
	for _, e := range strict {
		errs = append(errs, o.errorf(pathOf(e.Error()), "%w", e))
	}
	return errs
}

// JSON is the object as JSON.
func (o Object) JSON() []byte { return bytes.Clone(o.body) }

func (o Object) errorf(path []any, format string, args ...any) error {
	return &Error{Position: o.Position(path...), Err: fmt.Errorf(format, args...)}
}
