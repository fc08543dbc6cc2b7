package seccomp

import (
	"slices"
	"strings"

	"advisor/policies"
	"advisor/trace"
)

// profile writes the draft down: what is allowed, then what is refused with an
// errno of its own.
func (d *draft) profile(o policies.Observation) Profile {
	p := Profile{Format: OCI, Default: Errno, DefaultErrno: errnoOf(eNOSYS)}
	for _, arch := range d.archs {
		p.Architectures = append(p.Architectures, Token(arch))
	}
	p.Rules = append(p.Rules, Rule{Names: d.wholeNames(), Action: Allow})
	p.Rules = append(p.Rules, d.conditional()...)
	d.refuse(&p, o)
	d.killed()
	return p
}

func errnoOf(n uint) *uint { return &n }

// refuse sets what happens to the other calls.
func (d *draft) refuse(p *Profile, o policies.Observation) {
	switch d.opt.Action {
	case "log":
		p.Default, p.DefaultErrno = Log, nil
		if old := d.withoutFlags(o); old != "" {
			d.note("%s starts no container with filter flags, so that %s is left out: "+
				"the kernel logs what the profile lets pass without it", old, FlagLog)
			return
		}
		p.Flags, p.FlagsSet = []string{FlagLog}, true
	case "kill":
		p.Default, p.DefaultErrno = KillProcess, nil
		d.refuseNames(p, strings.Fields(probes), eNOSYS)
	default:
		// Docker 20.10 drops defaultErrnoRet without a word, so the calls
		// for which EPERM in its place is fatal have their errno spelt out.
		d.refuseNames(p, strings.Fields(probes), eNOSYS)
		names := append(strings.Fields(privileged), refusedWith(o, ePERM)...)
		d.refuseNames(p, names, ePERM)
	}
}

// flagsFrom is the first runc that takes filter flags; earlier ones start no
// container with them ("seccomp flags are not yet supported by runc").
const flagsFrom = "1.2"

// withoutFlags is the runtime asked for or observed that takes no flags, if any.
func (d *draft) withoutFlags(o policies.Observation) string {
	names := []string{d.opt.Runtime}
	for _, c := range o.Containers {
		names = append(names, c.OCI)
	}
	for _, name := range names {
		family, version, _ := strings.Cut(name, " ")
		if family == Runc && !atLeast(version, flagsFrom) {
			return name
		}
	}
	return ""
}

// refusedWith lists the calls that a filter refused with an errno while
// recording: the workload got along with exactly that.
func refusedWith(o policies.Observation, errno int) []string {
	var names []string
	for _, den := range o.Denied {
		name := trace.SyscallName(den.Arch, den.Nr)
		if name != "" && den.Action == trace.ErrnoName(errno) {
			names = append(names, name)
		}
	}
	return names
}

// refuseNames adds a rule for those of names that are not allowed and that
// some architecture of the profile has.
func (d *draft) refuseNames(p *Profile, names []string, errno uint) {
	var list []string
	for _, name := range names {
		if !p.mentions(name) && slices.ContainsFunc(d.archs, func(arch string) bool {
			_, ok := trace.SyscallNumber(arch, name)
			return ok
		}) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	if list = slices.Compact(list); len(list) > 0 {
		p.Rules = append(p.Rules, Rule{Names: list, Action: Errno, Errno: errnoOf(errno)})
	}
}

func (p Profile) mentions(name string) bool {
	return slices.ContainsFunc(p.Rules, func(r Rule) bool { return slices.Contains(r.Names, name) })
}

// killed notes the architectures of the same host that the profile shuts out.
func (d *draft) killed() {
	var out []string
	for _, a := range onHost(d.native()) {
		if !slices.Contains(d.archs, a.audit) && a.audit != d.native() {
			out = append(out, a.audit)
		}
	}
	if len(out) > 0 {
		d.note("no %s program was seen: the kernel kills threads that make such calls",
			strings.Join(out, " or "))
	}
}
