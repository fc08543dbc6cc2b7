package seccomp

import (
	"bytes"
	"errors"
	"fmt"

	"advisor/policies"
	"advisor/policies/manifest"

	"go.yaml.in/yaml/v3"
)

// Parse reads the profile in data, the text of file: JSON in the form of the
// runtime specification, Docker or Podman, a container's config.json with one
// in it, or a SeccompProfile as YAML or JSON. It is strict: a misspelt or
// repeated key and a value of another type are errors, each at its place. What
// can be read is in the profile even then. Words that no runtime knows are
// kept; [Lint] finds them.
func Parse(file string, data []byte) (Profile, []error) {
	trimmed := bytes.TrimLeft(data, " \t\r\n")
	wrong := func(text string) (Profile, []error) {
		at := policies.Position{File: file, Line: 1, Column: 1}
		return Profile{}, []error{&manifest.Error{Position: at, Err: errors.New(text)}}
	}
	switch {
	case len(trimmed) == 0:
		return Profile{}, []error{&manifest.Error{
			Position: policies.Position{File: file}, Err: errors.New("empty: no seccomp profile")}}
	case trimmed[0] == '{':
		return parseJSON(file, data)
	case bytes.HasPrefix(trimmed, []byte("\ufeff{")):
		return wrong("a byte order mark before the profile, which runtimes refuse: save it as UTF-8 without one")
	case bytes.HasPrefix(trimmed, []byte("//")), bytes.HasPrefix(trimmed, []byte("/*")):
		return wrong("JSON has no comments, and runtimes refuse it: take them out, or put them under \"comment\" of a rule")
	}
	objects, errs := manifest.Read(file, data)
	var found []manifest.Object
	for _, o := range objects {
		if IsProfile(o) {
			found = append(found, o)
		}
	}
	if len(found) != 1 {
		err := fmt.Errorf("%d SeccompProfile objects, want one", len(found))
		if len(found) == 0 {
			err = errors.New("no seccomp profile: neither one in JSON nor a SeccompProfile object")
		}
		return Profile{}, append(errs, &manifest.Error{Position: policies.Position{File: file}, Err: err})
	}
	p, more := ParseObject(found[0])
	return p, append(errs, more...)
}

// IsProfile tells whether an object of a manifest is a SeccompProfile.
func IsProfile(o manifest.Object) bool {
	group, _, _ := cutGroup(o.APIVersion)
	return o.Kind == spoKind && group == spoGroup
}

func cutGroup(apiVersion string) (group, version string, ok bool) {
	g, v, ok := bytes.Cut([]byte(apiVersion), []byte("/"))
	return string(g), string(v), ok
}

// ParseObject reads a SeccompProfile of a manifest.
func ParseObject(o manifest.Object) (Profile, []error) {
	d := decoder{file: o.File}
	p := d.spo(o.Node())
	return p, d.errs
}

func parseJSON(file string, data []byte) (Profile, []error) {
	root, err := jsonTree(file, data)
	if err != nil {
		return Profile{}, []error{err}
	}
	d := decoder{file: file}
	switch {
	case child(root, "kind") != nil:
		return d.spo(root), d.errs
	case child(root, "ociVersion") != nil:
		inside := child(child(root, "linux"), "seccomp")
		if inside == nil {
			d.fail(root, "no linux.seccomp in this container configuration")
			return Profile{}, d.errs
		}
		root = inside
	}
	p := d.profile(root)
	return p, d.errs
}

func child(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}
