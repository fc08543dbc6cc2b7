package seccomp

import (
	"bytes"
	"encoding/json"
	"fmt"

	"advisor/trace"
)

// The documents of the JSON formats. Keys are in the order of the runtime
// specification; what is not set is left out.
type (
	document struct {
		DefaultAction    Action         `json:"defaultAction"`
		DefaultErrnoRet  *uint          `json:"defaultErrnoRet,omitempty"`
		DefaultErrno     string         `json:"defaultErrno,omitempty"`
		Architectures    []Arch         `json:"architectures,omitempty"`
		ArchMap          []archDocument `json:"archMap,omitempty"`
		Flags            *[]string      `json:"flags,omitempty"`
		ListenerPath     string         `json:"listenerPath,omitempty"`
		ListenerMetadata string         `json:"listenerMetadata,omitempty"`
		Syscalls         []ruleDocument `json:"syscalls"`
	}
	archDocument struct {
		Architecture     Arch   `json:"architecture"`
		SubArchitectures []Arch `json:"subArchitectures"`
	}
	ruleDocument struct {
		Names    []string        `json:"names"`
		Action   Action          `json:"action"`
		ErrnoRet *uint           `json:"errnoRet,omitempty"`
		Errno    string          `json:"errno,omitempty"`
		Args     []argDocument   `json:"args,omitempty"`
		Comment  string          `json:"comment,omitempty"`
		Includes *filterDocument `json:"includes,omitempty"`
		Excludes *filterDocument `json:"excludes,omitempty"`
	}
	argDocument struct {
		Index    uint   `json:"index"`
		Value    uint64 `json:"value"`
		ValueTwo uint64 `json:"valueTwo,omitempty"`
		Op       Op     `json:"op"`
	}
	filterDocument struct {
		Caps      []string `json:"caps,omitempty"`
		Arches    []string `json:"arches,omitempty"`
		MinKernel string   `json:"minKernel,omitempty"`
	}
)

// Render writes the profile in a format: indented JSON, or YAML for
// SeccompProfile objects. What the format cannot say is an error, never left
// out in silence.
func (p Profile) Render(f Format) ([]byte, error) {
	if err := p.fits(f); err != nil {
		return nil, fmt.Errorf("seccomp profile as %s: %w", f, err)
	}
	switch f {
	case SPO, SPOBeta:
		return p.object(f)
	}
	return indented(p.document(f))
}

func indented(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("seccomp profile: %w", err)
	}
	return b.Bytes(), nil
}

// document is the profile in a JSON format that can say all of it.
func (p Profile) document(f Format) document {
	d := document{
		DefaultAction: p.Default, DefaultErrnoRet: p.DefaultErrno,
		Architectures: p.Architectures,
		ListenerPath:  p.ListenerPath, ListenerMetadata: p.ListenerMetadata,
		Syscalls: []ruleDocument{},
	}
	if f == Podman {
		d.DefaultErrno = errnoWord(p.DefaultErrno)
	}
	if p.FlagsSet {
		flags := append([]string{}, p.Flags...)
		d.Flags = &flags
	}
	for _, m := range p.ArchMap {
		d.ArchMap = append(d.ArchMap, archDocument{m.Arch, m.Sub})
	}
	for _, r := range p.Rules {
		d.Syscalls = append(d.Syscalls, r.document(f))
	}
	return d
}

func (r Rule) document(f Format) ruleDocument {
	d := ruleDocument{
		Names: r.Names, Action: r.Action, ErrnoRet: r.Errno, Comment: r.Comment,
		Includes: r.Includes.document(), Excludes: r.Excludes.document(),
	}
	if f == Podman {
		d.Errno = errnoWord(r.Errno)
	}
	for _, a := range r.Args {
		d.Args = append(d.Args, argDocument(a))
	}
	return d
}

func (f Filter) document() *filterDocument {
	if f.empty() {
		return nil
	}
	d := filterDocument(f)
	return &d
}

// errnoWord is the errno's name, as Podman takes it beside the number; empty
// where it has none.
func errnoWord(errno *uint) string {
	if errno == nil {
		return ""
	}
	name := trace.ErrnoName(int(*errno))
	if _, ok := trace.ErrnoNumber(name); !ok {
		return ""
	}
	return name
}
