package seccomp

import (
	"slices"

	"advisor/trace"
)

// Resolve is the profile as the runtime gets it from the engine: plain, for
// one host and set of capabilities.
func Resolve(p Profile, ctx Context) (Profile, error) {
	r, err := p.resolve(ctx)
	if err != nil {
		return Profile{}, err
	}
	out := p
	out.Format, out.ArchMap, out.Architectures, out.Rules = OCI, nil, r.listed, nil
	for _, i := range r.rules {
		rule := p.Rules[i]
		rule.Includes, rule.Excludes, rule.Comment = Filter{}, Filter{}, ""
		out.Rules = append(out.Rules, rule)
	}
	return out, nil
}

// WithoutDefaultErrno is the profile with the errno of its default action
// written as a rule for each call that the tables know and no rule names, for
// formats without defaultErrnoRet. It differs from the profile for numbers
// that the tables do not know: those get EPERM, except where runc answers
// ENOSYS by itself, and for calls with conditions where none of them holds.
// For such formats nothing comes closer.
func WithoutDefaultErrno(p Profile) Profile {
	if p.DefaultErrno == nil || p.Default != Errno {
		p.DefaultErrno = nil
		return p
	}
	var names []string
	for _, token := range p.Architectures {
		if a, ok := abiOf(token); ok {
			names = append(names, trace.Syscalls(a.audit)...)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	names = slices.DeleteFunc(names, p.mentions)
	rule := Rule{Names: names, Action: Errno, Errno: p.DefaultErrno}
	if p.Rules = slices.Clone(p.Rules); len(names) > 0 {
		p.Rules = append(p.Rules, rule)
	}
	p.DefaultErrno = nil
	return p
}
