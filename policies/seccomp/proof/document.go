package proof

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"advisor/trace"

	"sigs.k8s.io/yaml"
)

// document is a profile as its formats write it: linux.seccomp of the OCI
// runtime specification 1.3, and what Docker and Podman add.
type document struct {
	DefaultAction    string    `json:"defaultAction"`
	DefaultErrnoRet  *uint32   `json:"defaultErrnoRet"`
	DefaultErrno     string    `json:"defaultErrno"`
	Architectures    []string  `json:"architectures"`
	ArchMap          []archMap `json:"archMap"`
	Flags            []string  `json:"flags"`
	ListenerPath     string    `json:"listenerPath"`
	ListenerMetadata string    `json:"listenerMetadata"`
	Syscalls         []entry   `json:"syscalls"`
}

type archMap struct {
	Architecture     string   `json:"architecture"`
	SubArchitectures []string `json:"subArchitectures"`
}

// entry is an action for calls by name.
type entry struct {
	Name     string    `json:"name"`
	Names    []string  `json:"names"`
	Action   string    `json:"action"`
	ErrnoRet *uint32   `json:"errnoRet"`
	Errno    string    `json:"errno"`
	Args     []test    `json:"args"`
	Comment  string    `json:"comment"`
	Includes condition `json:"includes"`
	Excludes condition `json:"excludes"`
}

// test is a comparison of an argument.
type test struct {
	Index    uint   `json:"index"`
	Value    uint64 `json:"value"`
	ValueTwo uint64 `json:"valueTwo"`
	Op       string `json:"op"`
}

// condition is what the engine decides about a whole entry by.
type condition struct {
	Caps      []string `json:"caps"`
	Arches    []string `json:"arches"`
	MinKernel string   `json:"minKernel"`
}

// object is a SeccompProfile of the Security Profiles Operator.
type object struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Metadata   map[string]any `json:"metadata"`
	Spec       struct {
		State    string `json:"state"`
		BaseName string `json:"baseProfileName"`
		document
	} `json:"spec"`
}

// read parses a profile in any of the formats. Unknown keys are an error.
func read(text []byte) (document, error) {
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && trimmed[0] == '{' {
		return readJSON(trimmed)
	}
	converted, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return document{}, err
	}
	return readJSON(converted)
}

func readJSON(text []byte) (document, error) {
	var probe struct {
		Kind  string `json:"kind"`
		OCI   string `json:"ociVersion"`
		Linux struct {
			Seccomp json.RawMessage `json:"seccomp"`
		} `json:"linux"`
	}
	if err := json.Unmarshal(text, &probe); err != nil {
		return document{}, err
	}
	var d document
	var err error
	switch {
	case probe.Kind == "SeccompProfile":
		var o object
		err, d = strictly(text, &o), o.Spec.document
		if o.Spec.State == "Disabled" {
			return d, errors.New("the profile is disabled")
		}
	case probe.OCI != "":
		err = strictly(probe.Linux.Seccomp, &d)
	default:
		err = strictly(text, &d)
	}
	if err != nil {
		return document{}, err
	}
	return d, d.check()
}

func strictly(text []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("text after the profile")
	}
	return nil
}

// check refuses what no runtime takes.
func (d document) check() error {
	if _, ok := returnValue(d.DefaultAction, 0); !ok {
		return fmt.Errorf("defaultAction %q", d.DefaultAction)
	}
	for i, e := range d.Syscalls {
		if _, ok := returnValue(e.Action, 0); !ok {
			return fmt.Errorf("entry %d: action %q", i, e.Action)
		}
		for _, t := range e.Args {
			if _, ok := operators()[t.Op]; !ok || t.Index > 5 {
				return fmt.Errorf("entry %d: argument %d %q", i, t.Index, t.Op)
			}
		}
	}
	return nil
}

func (e entry) names() []string {
	if e.Name != "" {
		return append([]string{e.Name}, e.Names...)
	}
	return e.Names
}

// defaultReturn is what the filter returns where no rule holds.
func (d document) defaultReturn() uint32 {
	v, _ := returnValue(d.DefaultAction, errnoOf(d.DefaultErrnoRet, d.DefaultErrno))
	return v
}

func (e entry) returns() uint32 {
	v, _ := returnValue(e.Action, errnoOf(e.ErrnoRet, e.Errno))
	return v
}

// errnoOf is the number: Podman's word for it first, then the number beside
// it, EPERM where nothing is said.
func errnoOf(number *uint32, word string) uint32 {
	if n, ok := trace.ErrnoNumber(word); ok && word != "" {
		return uint32(n)
	}
	if number != nil {
		return *number
	}
	return eperm
}
