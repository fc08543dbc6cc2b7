package seccomp

import (
	"slices"

	"advisor/policies"
)

// Format is a way to write a profile down.
type Format string

// The formats that are read and written.
const (
	OCI     Format = "oci"         // linux.seccomp of the OCI runtime specification 1.3
	Docker  Format = "docker"      // Docker's wider form: archMap, includes, excludes
	Podman  Format = "podman"      // Podman's and CRI-O's: names of errnos, no minKernel
	SPO     Format = "spo"         // SeccompProfile, security-profiles-operator.x-k8s.io/v1
	SPOBeta Format = "spo-v1beta1" // the same kind, namespaced, v1beta1
)

// Profile is a seccomp profile in any of the formats. Its fields are those of
// the formats; what is empty there is empty here.
type Profile struct {
	Format Format // the narrowest format that can say all of it, when it was parsed
	// Name and Namespace identify a SeccompProfile object.
	Name      string
	Namespace string
	Base      string // SeccompProfile: baseProfileName, whose calls are added
	Disabled  bool   // SeccompProfile: state Disabled

	Default          Action
	DefaultErrno     *uint // nil: EPERM where Default takes an errno
	Architectures    []Arch
	ArchMap          []ArchMap
	Flags            []string
	FlagsSet         bool // "flags" is there, be it empty: crun then adds none of its own
	ListenerPath     string
	ListenerMetadata string
	Rules            []Rule

	// Position is where the default action stands, which decides what no rule
	// names; the profile's own where it has none, zero where nothing was parsed.
	Position policies.Position
	// places is where the other keys and the words of their lists stand, where
	// parsed: "flags", "SCMP_ARCH_X86".
	places map[string]policies.Position
}

// place is where a key or a word outside of the rules stands, the first one of
// them that does; the profile's own place where none is known.
func (p Profile) place(words ...string) policies.Position {
	for _, word := range words {
		if at, ok := p.places[word]; ok {
			return at
		}
	}
	return p.Position
}

// ArchMap says which sub-architectures come with a native one.
type ArchMap struct {
	Arch Arch
	Sub  []Arch
}

// Rule is one entry of "syscalls": an action for calls by name, where all Args
// hold and the engine's conditions are met.
type Rule struct {
	Names    []string
	Action   Action
	Errno    *uint // nil: EPERM where Action takes an errno
	Args     []Arg
	Comment  string
	Includes Filter // the rule counts only where all of this holds
	Excludes Filter // the rule does not count where any of this holds

	Position policies.Position   // of the entry
	places   []policies.Position // of Names, where parsed
}

// Filter is Docker's and Podman's condition on a whole rule.
type Filter struct {
	Caps      []string // "CAP_SYS_ADMIN"
	Arches    []string // libseccomp's short names: amd64, x86, x32, arm64, arm
	MinKernel string   // "4.8"; Docker only
}

func (f Filter) empty() bool {
	return len(f.Caps) == 0 && len(f.Arches) == 0 && f.MinKernel == ""
}

// Arg compares one argument of a call, as an unsigned number of 64 bits. With
// MaskedEqual, Value is the mask and ValueTwo the wanted value, of which only the
// bits in the mask count (seccomp_rule_add(3)).
type Arg struct {
	Index    uint // 0 to 5
	Value    uint64
	ValueTwo uint64
	Op       Op
}

// Op is a comparison, as the formats spell it.
type Op string

// The comparisons.
const (
	NotEqual       Op = "SCMP_CMP_NE"
	Less           Op = "SCMP_CMP_LT"
	LessOrEqual    Op = "SCMP_CMP_LE"
	Equal          Op = "SCMP_CMP_EQ"
	GreaterOrEqual Op = "SCMP_CMP_GE"
	Greater        Op = "SCMP_CMP_GT"
	MaskedEqual    Op = "SCMP_CMP_MASKED_EQ"
)

var ops = [...]Op{
	NotEqual, Less, LessOrEqual, Equal, GreaterOrEqual, Greater, MaskedEqual,
}

func (o Op) known() bool { return slices.Contains(ops[:], o) }

// Place is where name stands in rule i, the entry's own place, or the profile's.
func (p Profile) Place(i int, name string) policies.Position {
	if i < 0 || i >= len(p.Rules) {
		return p.Position
	}
	r := p.Rules[i]
	if at := slices.Index(r.Names, name); at >= 0 && at < len(r.places) {
		return r.places[at]
	}
	if r.Position.Line == 0 {
		return p.Position
	}
	return r.Position
}

// holds applies the comparison to a value.
func (a Arg) holds(v uint64) bool {
	switch a.Op {
	case NotEqual:
		return v != a.Value
	case Less:
		return v < a.Value
	case LessOrEqual:
		return v <= a.Value
	case Equal:
		return v == a.Value
	case GreaterOrEqual:
		return v >= a.Value
	case Greater:
		return v > a.Value
	case MaskedEqual:
		return v&a.Value == a.ValueTwo&a.Value
	}
	return false
}
