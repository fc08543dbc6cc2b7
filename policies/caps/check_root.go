package caps

import (
	"strings"

	"advisor/policies"
)

// Rules about the root file system.
const (
	RuleReadOnly = "caps/read-only-root" // read-only, and written to
	RuleWritable = "caps/writable-root"  // writable, and never written to
)

// root holds what was written against what may be. What is written where the
// manifest mounts a volume does not concern the root file system, wherever it
// went while recording.
func (c *checker) root() {
	const field = "readOnlyRootFilesystem"
	r := rootOf(c.o, c.d.Writable)
	switch sealed := is(c.d.ReadOnlyRootFilesystem); {
	case sealed && len(r.Written) > 0:
		c.add(policies.Missing, RuleReadOnly, field, "true, and the workload writes to its root file system in "+
			printable(strings.Join(r.Written, ", ")), writers(c.o, r.Written), c.d.at(field))
	case !sealed && r.untouched():
		message := "not true, and nothing was written to the root file system"
		if len(c.d.Writable) > 0 {
			message += " outside of what is mounted"
		}
		c.add(policies.Unprotected, RuleWritable, field, message, nil, c.d.at(field))
	}
}

// FitRoot makes s say of the root file system what fits the volumes that d
// mounts: read-only where nothing else is written to. Where d has it read-only
// and something is, a tmpfs is added if that is known to do and d can have one,
// else it is not read-only.
func FitRoot(s *Synthesis, o policies.Observation, d Declared) {
	s.Root = rootOf(o, d.Writable)
	s.Security.Tmpfs, s.Security.ReadOnlyRootFilesystem = nil, nil
	opened := is(d.ReadOnlyRootFilesystem) && len(s.Root.Written) > 0
	switch {
	case opened && d.Pod == nil && len(s.Root.tmpfs()) > 0:
		s.Security.Tmpfs = s.Root.tmpfs()
	case s.Root.untouched():
		s.Security.ReadOnlyRootFilesystem = new(true)
	case opened:
		s.Security.ReadOnlyRootFilesystem = new(false)
	}
}
