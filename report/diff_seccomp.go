package report

import (
	"fmt"
	"slices"

	"advisor/policies"
	"advisor/policies/caps"
	"advisor/policies/seccomp"
	"advisor/policies/seccomp/risk"
)

// Rules of the findings about seccomp profiles.
const (
	RuleMissingSyscall = "seccomp/missing-syscall" // made, and the profile refuses it
	RuleExcessSyscall  = "seccomp/excess-syscall"  // allowed, and never made
	RuleNoProfile      = "seccomp/no-profile"      // nothing restricts the calls
	RuleUnknownProfile = "seccomp/unknown-profile" // named, and not among the manifests
	RuleRefusedProfile = "seccomp/refused"         // the runtime would not load it
)

// checkSeccomp holds the profile that a container's manifest names against the
// calls it made.
func checkSeccomp(p pairing, m Manifests, engine string) []policies.Finding {
	d := *p.declared
	switch {
	case d.Windows:
		return nil
	case d.Privileged != nil && *d.Privileged:
		return []policies.Finding{unprotected(d, "privileged", "a privileged container has no seccomp profile")}
	case d.SeccompType == "Unconfined":
		return []policies.Finding{unprotected(d, "Unconfined", "every system call is allowed")}
	case d.SeccompType == "" && d.Engine == "kubernetes":
		return []policies.Finding{unprotected(d, "no profile",
			"every system call is allowed, unless the kubelet runs with --seccomp-default")}
	case d.SeccompType != "Localhost":
		return checkDefault(p)
	}
	profile := m.profile(d.SeccompProfile)
	if profile == nil {
		return []policies.Finding{{
			Class: policies.Unknown, Rule: RuleUnknownProfile, Subject: d.SeccompProfile,
			Message: "the profile is not among the manifests", Position: place(d, "seccompProfile"),
		}}
	}
	return checkProfile(p, *profile, engine)
}

func unprotected(d caps.Declared, subject, message string) policies.Finding {
	return policies.Finding{
		Class: policies.Unprotected, Rule: RuleNoProfile, Subject: subject, Message: message,
		Position: place(d, "seccompProfile"),
	}
}

// place is where a field of the security context stands, or the container.
func place(d caps.Declared, field string) policies.Position {
	for _, name := range []string{field, "securityContext"} {
		if at, ok := d.At[name]; ok && at.Line > 0 {
			return at
		}
	}
	return d.Position
}

// checkDefault holds the runtime's default profile against the calls. Only what
// it surely refuses is found: much in it depends on capabilities and arguments.
func checkDefault(p pairing) []policies.Finding {
	if p.observed == nil {
		return nil
	}
	var findings []policies.Finding
	for name, seen := range madeCalls(*p.observed) {
		if risk.Of(name).Default == risk.Refused {
			findings = append(findings, policies.Finding{
				Class: policies.Missing, Rule: RuleMissingSyscall, Subject: name,
				Message:  seenMessage(seen) + "; refused by the runtime's default profile",
				Position: place(*p.declared, "seccompProfile"),
			})
		}
	}
	return findings
}

// madeCalls are the names of the calls that a filter would have judged, with
// their evidence.
func madeCalls(o policies.Observation) map[string]policies.Seen {
	made := make(map[string]policies.Seen)
	for _, s := range o.Syscalls {
		if s.Phase == "run" || s.Filtered {
			made[s.Name] = s.Seen
		}
	}
	return made
}

// checkProfile holds a profile against the calls.
func checkProfile(p pairing, profile seccomp.Profile, engine string) []policies.Finding {
	ctx := seccomp.Context{Engine: engine, Capabilities: bounding(*p.declared, engine)}
	if p.observed != nil && len(p.observed.Syscalls) > 0 {
		ctx.Arch = nativeArch(*p.observed)
	}
	program, err := seccomp.Load(profile, ctx)
	if err != nil {
		return []policies.Finding{{
			Class: policies.Invalid, Rule: RuleRefusedProfile, Subject: profile.Position.File,
			Message: err.Error(), Position: profile.Position,
		}}
	}
	if p.observed == nil || blind(*p.observed, KindSeccomp) != nil {
		return nil
	}
	return append(missingCalls(*p.observed, program, profile), excessCalls(*p.observed, profile, ctx)...)
}

func bounding(d caps.Declared, engine string) []string {
	set, err := caps.Evaluate(d, engine)
	if err != nil {
		return nil
	}
	return set.Bounding
}

// nativeArch is the architecture of the machine the workload ran on.
func nativeArch(o policies.Observation) string {
	for _, s := range o.Syscalls {
		if s.Arch == "aarch64" || s.Arch == "arm" {
			return "aarch64"
		}
	}
	return "x86_64"
}

func missingCalls(o policies.Observation, program *seccomp.Program, profile seccomp.Profile) []policies.Finding {
	var findings []policies.Finding
	for _, s := range o.Syscalls {
		if s.Phase != "run" && !s.Filtered {
			continue
		}
		verdict := program.Evaluate(seccomp.Point{Arch: s.Arch, Nr: s.Nr})
		if verdict.Action.Admits() {
			continue
		}
		findings = append(findings, policies.Finding{
			Class: policies.Missing, Rule: RuleMissingSyscall, Subject: callName(s),
			Message:  fmt.Sprintf("%s; refused by the %s", seenMessage(s.Seen), verdict.Why),
			Position: refusedAt(profile, verdict, s.Name),
		})
	}
	return findings
}

// refusedAt is the rule that refuses a call or, where none names it, the first
// that allows others: the place to add it.
func refusedAt(profile seccomp.Profile, v seccomp.Verdict, name string) policies.Position {
	if v.Rule >= 0 {
		return profile.Place(v.Rule, name)
	}
	for i, rule := range profile.Rules {
		if rule.Action.Admits() && len(rule.Args) == 0 {
			return profile.Place(i, "")
		}
	}
	return profile.Position
}

func callName(s policies.Syscall) string {
	if s.Name == "" {
		return fmt.Sprintf("%s/%d", s.Arch, s.Nr)
	}
	return s.Name
}

// excessCalls are the names that the profile allows and nothing accounts for:
// neither the workload nor what a profile needs besides.
func excessCalls(o policies.Observation, profile seccomp.Profile, ctx seccomp.Context) []policies.Finding {
	s, err := seccomp.Synthesize(o, seccomp.Options{Context: ctx})
	if err != nil {
		return nil
	}
	needed := callNames(s)
	var findings []policies.Finding
	for i, rule := range profile.Rules {
		for _, name := range rule.Names {
			if !rule.Action.Admits() || slices.Contains(needed, name) {
				continue
			}
			findings = append(findings, policies.Finding{
				Class: policies.Excess, Rule: RuleExcessSyscall, Subject: name,
				Message:  "allowed, never made" + riskDetail(name),
				Position: profile.Place(i, name),
			})
		}
	}
	return findings
}

func riskDetail(name string) string {
	call := risk.Of(name)
	if call.Class == risk.Ordinary {
		return ""
	}
	return "; " + string(call.Class)
}
