package seccomp

import (
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/policies/manifest"
	"advisor/trace"
)

// needed tells whether a filter must admit an observed call: what the workload
// makes, and what the runtime makes with a filter in force. What it does before
// loading one does not meet the filter.
func needed(s policies.Syscall) bool { return s.Phase == trace.PhaseRun || s.Filtered }

// observed adds the calls of the traces.
func (d *draft) observed(o policies.Observation) {
	for _, s := range o.Syscalls {
		if !needed(s) {
			continue
		}
		name := nameOf(s)
		if name == "" {
			d.nameless(s, o)
			continue
		}
		r := Reason{Arch: s.Arch, Nr: s.Nr, Name: name, Reason: Workload, Seen: s.Seen}
		if s.Phase == trace.PhaseStart {
			r.Reason, r.Detail = RuntimeFloor, "made by the runtime while recording"
		}
		d.add(r)
		d.sightings[name] = append(d.sightings[name], s)
	}
	d.blocked(o)
}

// nameOf is the call's name in our own tables, which profiles are written
// with; the trace's where they have none and another architecture does.
func nameOf(s policies.Syscall) string {
	if name := trace.SyscallName(s.Arch, s.Nr); name != "" {
		return name
	}
	if nr, ok := trace.SyscallNumber(s.Arch, s.Name); ok && nr == s.Nr {
		return s.Name
	}
	return ""
}

// nameless tells of a call that no profile can allow: profiles have names only.
func (d *draft) nameless(s policies.Syscall, o policies.Observation) {
	if kernelLacks(s, o) {
		d.note("number %d of %s, tried by %s, is no system call of the kernels recorded: "+
			"the profile answers ENOSYS as they did", s.Nr, s.Arch, s.First.Comm)
		return
	}
	d.note("number %d of %s, made by %s, has no name in the tables (Linux %s): "+
		"a profile cannot allow it", s.Nr, s.Arch, s.First.Comm, trace.TablesKernel)
}

// kernelLacks tells whether the recorded kernels cannot have known a number
// without a name: none is newer than our tables.
func kernelLacks(s policies.Syscall, o policies.Observation) bool {
	if nameOf(s) != "" || len(o.Evidence.Kernels) == 0 {
		return false
	}
	return !slices.ContainsFunc(o.Evidence.Kernels, func(k string) bool {
		return !atLeast(trace.TablesKernel, majorMinor(k))
	})
}

// majorMinor is "6.18" of "6.18.3-arch1".
func majorMinor(release string) string {
	n := numbers(release)
	if len(n) < 2 {
		return release
	}
	return fmt.Sprintf("%d.%d", n[0], n[1])
}

// blocked notes the calls that a filter refused while recording.
func (d *draft) blocked(o policies.Observation) {
	var list []string
	for _, den := range o.Denied {
		name := trace.SyscallName(den.Arch, den.Nr)
		if _, ok := d.reasons[call{den.Arch, den.Nr}]; !ok && name != "" {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	if list = slices.Compact(list); len(list) > 0 {
		d.note("refused by a filter in force while recording, and not allowed here: %s",
			strings.Join(list, ", "))
	}
}

// asked adds what the user named.
func (d *draft) asked() {
	for _, name := range d.opt.Add {
		d.addName(name, User, "asked for")
		d.anyhow = append(d.anyhow, name)
	}
}

// floor adds what the runtimes make under the filter.
func (d *draft) floor(o policies.Observation) {
	nnp := d.noNewPrivileges(o)
	for _, runtime := range d.runtimes(o) {
		family, version, _ := strings.Cut(runtime, " ")
		if !atLeast(version, measuredFrom(family)) {
			d.note("%s is older than any that was measured: the calls of %s %s are allowed for it",
				runtime, family, measuredFrom(family))
		}
		for _, name := range Floor(family, version, nnp) {
			d.addOn(d.native(), name, RuntimeFloor, runtime)
			d.floorNames = append(d.floorNames, name)
		}
		for _, arch := range narrowRuntimes(o) {
			for _, name := range Floor32(family, version, nnp) {
				d.addOn(arch, name, RuntimeFloor, runtime+" of 32 bits")
				d.floorNames = append(d.floorNames, name)
			}
		}
	}
	if d.native() != trace.ArchX8664 {
		d.note("what runtimes call under the filter was measured on x86_64; on aarch64 of runc 1.1.5 " +
			"and crun 1.8.1 only, which call nothing else there")
	}
}

// narrowRuntimes are the 32-bit architectures that runtimes were programs of: what
// they did before the workload began was by their calls.
func narrowRuntimes(o policies.Observation) []string {
	var list []string
	for _, s := range o.Syscalls {
		narrow := s.Arch == trace.ArchArm || s.Arch == trace.ArchI386
		if narrow && s.Phase == trace.PhaseStart && !slices.Contains(list, s.Arch) {
			list = append(list, s.Arch)
		}
	}
	slices.Sort(list)
	return list
}

// native is the architecture of the host that the runtime itself runs in.
func (d *draft) native() string {
	a, _ := abiByAudit(d.archs[0])
	return a.host
}

// runtimes are those to allow for, with a version where one was asked for.
func (d *draft) runtimes(o policies.Observation) []string {
	if r := d.opt.Runtime; r != "" && r != "auto" {
		return []string{r}
	}
	var list []string
	for _, c := range o.Containers {
		family, _, _ := strings.Cut(c.OCI, " ")
		if family != Runc && family != Crun {
			return []string{Crun, Runc}
		}
		list = append(list, family)
	}
	slices.Sort(list)
	if list = slices.Compact(list); len(list) == 0 {
		return []string{Crun, Runc}
	}
	return list
}

func (d *draft) noNewPrivileges(o policies.Observation) bool {
	if d.opt.NoNewPrivileges != nil {
		return *d.opt.NoNewPrivileges
	}
	for _, c := range o.Containers {
		if c.Granted == nil || c.Granted.NoNewPrivileges == nil || !*c.Granted.NoNewPrivileges {
			return false
		}
	}
	return len(o.Containers) > 0
}

// libc adds what libc calls instead of an observed call, and what recordings
// miss on every architecture the workload has code for.
func (d *draft) libc() {
	for _, r := range d.sorted() {
		for _, older := range olderThan(r.Arch, r.Name) {
			d.addOn(r.Arch, older, LibcFallback, "where "+r.Name+" is missing")
			if len(floorArguments(older)) > 0 {
				d.floorNames = append(d.floorNames, older)
				continue
			}
			d.anyhow = append(d.anyhow, older)
		}
	}
	for _, name := range strings.Fields(rare) {
		d.addName(name, LibcFallback, "any process may make it")
		d.anyhow = append(d.anyhow, name)
	}
	for _, name := range strings.Fields(unseen) {
		d.addName(name, VDSO, "the vDSO answers it while the clock allows")
		d.anyhow = append(d.anyhow, name)
	}
}

// base adds the allowed calls of the profile to start from. Rules with
// conditions on arguments are kept as they are.
func (d *draft) base() error {
	if d.opt.Base == nil {
		return nil
	}
	r, err := d.opt.Base.resolve(d.opt.Context)
	if err != nil {
		return fmt.Errorf("base profile: %w", err)
	}
	if d.opt.Base.Default.Admits() {
		return &manifest.Error{Position: d.opt.Base.Position, Err: fmt.Errorf(
			"the base profile's default action %s allows every call", d.opt.Base.Default)}
	}
	for _, i := range r.rules {
		rule := d.opt.Base.Rules[i]
		switch {
		case !rule.Action.Admits():
		case len(rule.Args) > 0:
			rule.Includes, rule.Excludes, rule.Action = Filter{}, Filter{}, Allow
			d.extra = append(d.extra, rule)
		default:
			for _, name := range rule.Names {
				d.addName(name, User, "in the base profile")
				d.anyhow = append(d.anyhow, name)
			}
		}
	}
	return nil
}
