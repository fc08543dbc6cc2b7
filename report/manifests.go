package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/policies/caps"
	"advisor/policies/manifest"
	"advisor/policies/netpol"
	"advisor/policies/seccomp"
)

// Manifests is what a number of files declare.
type Manifests struct {
	Files    []string // that were read, sorted
	Objects  []manifest.Object
	Declared []caps.Declared    // containers, sorted
	Netpol   []netpol.Policy    // sorted
	Profiles []seccomp.Profile  // with the file each stands in
	Problems []Problem          // what could not be used, sorted
	Refused  []policies.Finding // what is broken, or nobody would take, sorted

	texts     map[string][]byte // of the files, by name
	namespace string            // of objects that name none; empty leaves it open
}

// LoadManifests reads manifests: files, directories with everything below that
// is not hidden, and "-" for stdin. What is wrong with one of them is a problem
// and does not spoil the rest; an error is a path that cannot be read at all.
func LoadManifests(paths []string, stdin io.Reader) (Manifests, error) {
	return LoadManifestsIn("", paths, stdin)
}

// LoadManifestsIn reads manifests that are applied in a namespace, as far as they
// name none themselves.
func LoadManifestsIn(namespace string, paths []string, stdin io.Reader) (Manifests, error) {
	m := Manifests{texts: make(map[string][]byte), namespace: namespace}
	files, err := manifestFiles(paths)
	if err != nil {
		return Manifests{}, err
	}
	for _, file := range files {
		if err := m.read(file, stdin); err != nil {
			return Manifests{}, err
		}
	}
	m.parse()
	return m, nil
}

// add takes in the text of a file: a shell script with docker's command lines,
// a seccomp profile, or objects.
func (m *Manifests) add(file string, text []byte) {
	m.texts[file] = text
	if filepath.Ext(file) == ".sh" {
		declared, err := caps.ParseRun(file, text)
		m.Declared = append(m.Declared, declared...)
		m.problems(err)
		return
	}
	objects, errs := m.objects(file, text)
	if len(objects) == 1 && isProfile(objects[0]) || commented(file, text) {
		profile, errs := seccomp.Parse(file, text)
		m.Profiles = append(m.Profiles, profile)
		m.refuse(seccomp.RuleInvalid, errs...)
		return
	}
	m.Objects = append(m.Objects, objects...)
	m.refuse(RuleUnreadable, errs...)
}

// Text is the text of a file that was read, nil of others.
func (m Manifests) Text(file string) []byte { return m.texts[file] }

// objects are those of a file's text.
func (m *Manifests) objects(file string, text []byte) ([]manifest.Object, []error) {
	objects, errs := manifest.Read(file, text)
	for i, o := range objects {
		objects[i] = o.In(m.namespace)
	}
	return objects, errs
}

// isProfile tells a seccomp profile that is no object of Kubernetes: also one whose
// keys are written as no other reader takes them, which reading it tells.
func isProfile(o manifest.Object) bool {
	return o.Kind == "" && slices.ContainsFunc(o.Keys(), func(key string) bool {
		return strings.EqualFold(key, "defaultAction")
	})
}

// commented tells JSON that begins with a comment, as people write them into profiles.
func commented(file string, text []byte) bool {
	text = bytes.TrimLeft(text, " \t\r\n")
	return filepath.Ext(file) == ".json" && (bytes.HasPrefix(text, []byte("//")) || bytes.HasPrefix(text, []byte("/*")))
}

// problems keeps errors with their places.
func (m *Manifests) problems(errs ...error) {
	for _, err := range errs {
		var placed *manifest.Error
		switch {
		case err == nil:
		case errors.As(err, &placed):
			m.Problems = append(m.Problems, Problem{placed.Position, placed.Err.Error()})
		default:
			m.Problems = append(m.Problems, Problem{Message: err.Error()})
		}
	}
}

// parse makes declarations of the objects.
func (m *Manifests) parse() {
	foreign := make(map[string]int)
	makers := makersIn(m.Objects)
	for _, o := range m.Objects {
		if makers.made(o) {
			continue
		}
		declared, errs := caps.ParseAmong(o, m.Objects)
		m.Declared = append(m.Declared, declared...)
		m.refuse(RuleRefused, errs...)
		if seccomp.IsProfile(o) {
			profile, errs := seccomp.ParseObject(o)
			m.Profiles = append(m.Profiles, profile)
			m.refuse(seccomp.RuleInvalid, errs...)
		} else if len(declared)+len(errs) == 0 && (o.Foreign() || !understood(o.Kind)) {
			foreign[kindOf(o)]++
		}
	}
	declared, errs := netpol.Parse(m.Objects, "")
	m.Netpol = declared
	m.refuse(RuleRefused, errs...)
	m.name(foreign)
	m.sort()
}

// homeless tells of manifests that name no namespace where nothing was recorded in
// the one that they are then taken to be in: network policies hang on it.
func (m Manifests) homeless(seen []policies.Observation) []Problem {
	if !slices.ContainsFunc(m.Netpol, func(p netpol.Policy) bool { return p.Object.Namespace == "" }) {
		return nil
	}
	elsewhere := ""
	for _, o := range seen {
		switch ns := o.Workload.Namespace; {
		case len(o.Containers) == 0 || o.Containers[0].Pod == nil:
		case ns == "" || ns == "default":
			return nil
		default:
			elsewhere = ns
		}
	}
	if elsewhere == "" {
		return nil
	}
	return []Problem{{Message: "network policies without a namespace count for the namespace default, and nothing was recorded there: " +
		"--namespace " + elsewhere + " says where they are applied"}}
}

// kindOf names an object's kind, with its API where another has one of the name.
func kindOf(o manifest.Object) string {
	if o.Foreign() {
		return fmt.Sprintf("%s (%s)", o.Kind, o.Group())
	}
	return o.Kind
}

// understood says that a kind is used somewhere, though it declares no container.
func understood(kind string) bool {
	return slices.Contains([]string{
		"NetworkPolicy", "Namespace", "Service", "Endpoints", "EndpointSlice", "Node", "Pod", "ReplicaSet",
	}, kind)
}

// name tells which objects say nothing here.
func (m *Manifests) name(foreign map[string]int) {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(foreign)) {
		shown := kind
		if kind == "" {
			shown = "without a kind"
		}
		parts = append(parts, fmt.Sprintf("%d %s", foreign[kind], shown))
	}
	if len(parts) > 0 {
		m.Problems = append(m.Problems, Problem{Message: "not used: " + strings.Join(parts, ", ")})
	}
}

func (m *Manifests) sort() {
	slices.Sort(m.Files)
	slices.SortFunc(m.Declared, func(a, b caps.Declared) int {
		if c := a.Workload.Compare(b.Workload); c != 0 {
			return c
		}
		return a.Position.Compare(b.Position)
	})
	slices.SortFunc(m.Problems, func(a, b Problem) int {
		if c := a.Position.Compare(b.Position); c != 0 {
			return c
		}
		return strings.Compare(a.Message, b.Message)
	})
	m.Problems = slices.Compact(m.Problems)
	m.sortRefused()
}
