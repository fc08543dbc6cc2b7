package caps

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/trace"
)

// EffectiveSet is what the processes of a container hold.
type EffectiveSet struct {
	// Bounding is what any process can hold at most, sorted.
	Bounding []string
	// Effective is what the first process holds when it starts, sorted. Where
	// UserUnknown it is what it holds if the image's user is root.
	Effective []string
	// Gainable is what a process can still get by running a set-user-id program
	// or one with file capabilities, sorted: nothing under no_new_privs.
	Gainable []string
	// Ineffective are the capabilities that the manifest adds and no process can
	// hold, sorted.
	Ineffective     []string
	NoNewPrivileges bool
	NonRoot         bool
	UserUnknown     bool // the image's user decides
	Privileged      bool
	UserNamespace   bool // all of it holds in a user namespace of the container's own only
}

// Has tells whether a process of the container can hold a capability.
func (s EffectiveSet) Has(name string) bool {
	return slices.Contains(s.Effective, name) || slices.Contains(s.Gainable, name)
}

// Evaluate resolves a declaration the way engine does, "" for the engine that
// reads such manifests. It fails where the engine would not start the container.
func Evaluate(d Declared, engine string) (EffectiveSet, error) {
	if engine == "" {
		engine = d.Engine
	}
	e, err := engineOf(engine)
	if err != nil {
		return EffectiveSet{}, err
	}
	s := EffectiveSet{
		Privileged: is(d.Privileged), NoNewPrivileges: d.noNewPrivileges(),
		UserNamespace: d.UserNamespace,
	}
	nonRoot, known := d.nonRoot()
	s.NonRoot, s.UserUnknown = nonRoot, !known
	if s.Bounding, err = e.Resolve(texts(d.Add), texts(d.Drop)); err != nil {
		return EffectiveSet{}, err
	}
	if s.Privileged {
		s.Bounding = trace.Capabilities()
	}
	e.fill(&s, d)
	return s, nil
}

// fill follows the bounding set through the exec of the first process
// (capabilities(7), transformation of capabilities during execve).
func (e Engine) fill(s *EffectiveSet, d Declared) {
	s.Effective, s.Gainable = slices.Clone(s.Bounding), []string{}
	if !s.NonRoot {
		return
	}
	s.Effective = []string{}
	if e.ambient {
		added, _ := e.Resolve(texts(d.Add), []string{all})
		for _, name := range added {
			if slices.Contains(s.Bounding, name) {
				s.Effective = append(s.Effective, name)
			}
		}
	}
	if !s.NoNewPrivileges {
		s.Gainable = slices.Clone(s.Bounding)
	}
	for _, n := range d.Add {
		if number, ok := trace.CapabilityNumber(n.Text); ok && !s.Has(trace.CapabilityName(number)) {
			s.Ineffective = append(s.Ineffective, trace.CapabilityName(number))
		}
	}
	slices.Sort(s.Ineffective)
	s.Ineffective = slices.Compact(s.Ineffective)
}

// Change is one difference between what two sets of manifests give a container.
type Change struct {
	Workload policies.Workload
	Subject  string // a capability, or the field of the security context
	Before   string // "granted", "not granted", or the field's value; "" where there was none
	After    string
	Position policies.Position // in the new manifests, else in the old ones
}

// String is the change in one line.
func (c Change) String() string {
	return fmt.Sprintf("%s: %s: %s -> %s", c.Workload, c.Subject, orNone(c.Before), orNone(c.After))
}

func orNone(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// Compare says what changes for the containers of before where after takes its
// place, by what they hold, not by how it is written. Sorted by workload, place and
// subject. A declaration that an engine refuses compares as "refused".
func Compare(before, after []Declared, engine string) []Change {
	var changes []Change
	for _, pair := range Twins(before, after) {
		was, now := pair[0], pair[1]
		at, w := now.Position, now.Workload
		if now.Role == "" {
			at, w = was.Position, was.Workload
		}
		a, b := aspects(was, engine), aspects(now, engine)
		for _, subject := range subjects(a, b) {
			if a[subject] != b[subject] {
				changes = append(changes, Change{w, subject, a[subject], b[subject], at})
			}
		}
	}
	slices.SortStableFunc(changes, func(x, y Change) int {
		return cmp.Or(x.Workload.Compare(y.Workload), x.Position.Compare(y.Position), strings.Compare(x.Subject, y.Subject))
	})
	return changes
}

// Twins are the same containers in two sets of manifests: the zero value where one
// side does not have it.
func Twins(before, after []Declared) [][2]Declared {
	workload := func(d Declared) policies.Workload { return d.Workload }
	var pairs [][2]Declared
	for _, at := range policies.Twins(before, after, workload, func(d Declared) string { return d.Position.File }) {
		var pair [2]Declared
		if at[0] >= 0 {
			pair[0] = before[at[0]]
		}
		if at[1] >= 0 {
			pair[1] = after[at[1]]
		}
		pairs = append(pairs, pair)
	}
	return pairs
}

func subjects(a, b map[string]string) []string {
	var names []string
	for name := range a {
		names = append(names, name)
	}
	for name := range b {
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// aspects are what a declaration comes to, by subject.
func aspects(d Declared, engine string) map[string]string {
	m := make(map[string]string)
	if d.Role == "" {
		return m
	}
	s, err := Evaluate(d, engine)
	if err != nil {
		m["container"] = "refused: " + err.Error()
		return m
	}
	m["container"] = "starts"
	for _, name := range s.Bounding {
		switch {
		case slices.Contains(s.Effective, name):
			m[name] = "granted"
		case slices.Contains(s.Gainable, name):
			m[name] = "through set-user-id programs and file capabilities only"
		}
	}
	if s.Privileged {
		m["privileged"] = "yes"
	}
	m["user"] = s.UserWord()
	m["no_new_privs"] = yesNo(s.NoNewPrivileges)
	m["root file system"] = "writable"
	if is(d.ReadOnlyRootFilesystem) {
		m["root file system"] = "read-only"
	}
	m["user namespace"] = "the host's"
	if s.UserNamespace {
		m["user namespace"] = "its own"
	}
	return m
}

// UserWord is who the first process is: root, not root, or the image's.
func (s EffectiveSet) UserWord() string {
	switch {
	case s.UserUnknown:
		return "the image's"
	case s.NonRoot:
		return "not root"
	}
	return "root"
}
