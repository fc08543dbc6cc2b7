package report

import (
	"slices"
	"strings"

	"advisor/policies"
	"advisor/policies/caps"
	"advisor/policies/seccomp"
	"advisor/policies/seccomp/risk"
	"advisor/report/html"
	"advisor/trace"
)

// addSyscalls turns the lines of a seccomp profile into rows, one for each
// name: a call under several architectures is one call to whoever reads.
func addSyscalls(a *html.Workload, lines []Line) {
	for _, l := range lines {
		s := pageSyscall(l)
		i := slices.IndexFunc(a.Syscalls, func(have html.Syscall) bool { return have.Name == s.Name })
		if i < 0 {
			a.Syscalls = append(a.Syscalls, s)
			continue
		}
		have := &a.Syscalls[i]
		if have.Risk == notItsOwn && s.Risk != notItsOwn {
			*have, s = s, *have
		}
		if s.Seen.Containers > 0 {
			joinSeen(&have.Seen, s.Seen)
		}
	}
}

func pageSyscall(l Line) html.Syscall {
	name, _, _ := strings.Cut(l.Subject, " (") // an architecture beside the first
	call := risk.Of(name)
	s := html.Syscall{
		Name: name, Risk: string(call.Class), Reason: call.Reason, Phase: l.Phase,
		Default: pageDefault(call),
	}
	if l.Seen != nil {
		s.Seen = *l.Seen
	}
	if l.Reason != string(seccomp.Workload) {
		s.Risk, s.Reason = notItsOwn, l.Reason
		if l.Detail != "" {
			s.Reason += ": " + l.Detail
		}
	}
	return s
}

func pageDefault(c risk.Call) string {
	if c.Default == risk.Unknown {
		return ""
	}
	return string(c.Default)
}

// addCapabilities turns the checks of capabilities into a row for each
// capability, by the most telling of them.
func addCapabilities(a *html.Workload, lines []Line) {
	for _, l := range lines {
		c := html.Capability{Name: l.Subject, Need: needOf(caps.Class(l.Reason)), Reason: l.Detail}
		if l.Seen != nil {
			c.Seen = *l.Seen
		}
		verifiedCapability(&c, l)
		i := slices.IndexFunc(a.Capabilities, func(have html.Capability) bool {
			return have.Name == c.Name
		})
		switch {
		case i < 0:
			a.Capabilities = append(a.Capabilities, c)
		case needWeight(c.Need) > needWeight(a.Capabilities[i].Need):
			a.Capabilities[i] = c
		}
	}
}

// verifiedCapability adds what an experiment says. Where no recording says
// anything, it decides.
func verifiedCapability(c *html.Capability, l Line) {
	if l.Verified == nil {
		return
	}
	c.Verified, c.Failed = l.Verified.Word(), l.Verified.Reason
	if l.Reason == reasonVerified && l.Verified.Necessary {
		c.Need = html.Needed
	}
}

// needOf is what a class of check says of the need for the capability.
func needOf(c caps.Class) html.Need {
	switch c {
	case caps.Needed, caps.Alternative:
		return html.Needed
	case caps.Denied:
		return html.NotGranted
	case reasonUnused:
		return html.Unused
	}
	return html.Incidental
}

func needWeight(n html.Need) int {
	return slices.Index([]html.Need{
		html.Incidental, html.Undecided, html.Unused, html.NotGranted, html.Needed,
	}, n)
}

// addCapFinding takes what a comparison says of a capability into the matrix.
func addCapFinding(a *html.Workload, f policies.Finding) {
	if _, known := trace.CapabilityNumber(f.Subject); !known {
		return
	}
	c := html.Capability{Name: f.Subject, Reason: f.Message}
	switch f.Rule {
	case caps.RuleMissing, caps.RuleDenied:
		c.Need = html.NotGranted
	case caps.RuleUnused, caps.RuleIneffective:
		c.Need = html.Unused
	case caps.RuleUncertain:
		c.Need = html.Undecided
	default:
		return
	}
	i := slices.IndexFunc(a.Capabilities, func(have html.Capability) bool {
		return have.Name == c.Name
	})
	if i < 0 {
		a.Capabilities = append(a.Capabilities, c)
		return
	}
	c.Seen = a.Capabilities[i].Seen
	a.Capabilities[i] = c
}
