package report

import (
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
)

// Format is a way to write a policy of one kind.
type Format struct {
	Name   string // as --format takes it
	Suffix string // of a file's name
	// Stream says that several in a row are still one readable text.
	Stream bool
	Help   string
}

// Formats are the formats of one kind of policy, the default first.
func Formats(kind string) []Format {
	switch kind {
	case KindSeccomp:
		return seccompFormats()
	case KindNetpol:
		return netpolFormats()
	case KindCaps:
		return capsFormats()
	}
	return nil
}

// FormatOf is the format of that name, the default for "".
func FormatOf(kind, name string) (Format, error) {
	all := Formats(kind)
	if name == "" {
		return all[0], nil
	}
	i := slices.IndexFunc(all, func(f Format) bool { return f.Name == name })
	if i < 0 {
		return Format{}, fmt.Errorf("%s has no format %q: it has %s", kind, name, FormatNames(kind))
	}
	return all[i], nil
}

// FormatNames are the names of a kind's formats in one line.
func FormatNames(kind string) string {
	var names []string
	for _, f := range Formats(kind) {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// FileStem is a name for files of a workload: namespace, kind, name and
// container in lower case, with nothing in it that a file system or a shell
// would trip over.
func FileStem(w policies.Workload) string {
	kind := w.Kind
	if w.Namespace == "" && slices.Contains(plainKinds[:], kind) {
		kind = "" // a name is enough
	}
	var parts []string
	for _, part := range []string{w.Namespace, kind, w.Name, w.Container} {
		if part = strings.Map(plainRune, strings.ToLower(part)); part != "" {
			parts = append(parts, strings.Trim(part, "-."))
		}
	}
	return strings.Join(parts, "-")
}

var plainKinds = [...]string{
	policies.KindService, policies.KindContainer, policies.KindImage, policies.KindCommand,
}

func plainRune(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '_':
		return r
	}
	return '-'
}
