package report

import (
	"fmt"
	"slices"

	"advisor/policies"
	"advisor/policies/caps"
	"advisor/policies/seccomp"
)

// RuleUnknownProfile is the finding of a profile that a manifest names and that
// is not among the manifests. The other rules are those of package seccomp.
const RuleUnknownProfile = "seccomp/unknown-profile"

// checkSeccomp holds the profile that a container's manifest names against the
// calls it made.
func checkSeccomp(p pairing, m Manifests, engine string) []policies.Finding {
	d := *p.declared
	switch {
	case d.Windows:
		return nil
	case unfiltered(d):
		return unprotected(d, "a privileged container has no seccomp profile")
	case d.SeccompType == "Unconfined":
		return unprotected(d, "Unconfined: every system call is allowed")
	case d.SeccompType == "" && d.Engine == "kubernetes":
		return unprotected(d, "every system call is allowed, unless the kubelet runs with --seccomp-default"+annotated(d))
	case d.SeccompType != "Localhost":
		return checkDefault(p)
	}
	if d.SeccompProfile == "" {
		// The kubelet of CVE-2023-2431 ran such a container unconfined.
		return []policies.Finding{{
			Class: policies.Invalid, Rule: seccomp.RuleInvalid, Subject: "localhostProfile",
			Message: "Localhost without the name of a profile", Position: place(d, "seccompProfile"),
		}}
	}
	profile := m.profile(d)
	if profile == nil {
		return []policies.Finding{{
			Class: policies.Unknown, Rule: RuleUnknownProfile, Subject: d.SeccompProfile,
			Message: m.whyNoProfile(d), Position: place(d, "seccompProfile"),
		}}
	}
	return checkProfile(p, *profile, engine)
}

// unfiltered says that a container has no profile because it is privileged. Docker
// and podman load one that is named all the same.
func unfiltered(d caps.Declared) bool {
	return d.Privileged != nil && *d.Privileged && (d.Pod != nil || d.SeccompType != "Localhost")
}

// annotated tells of a profile in an annotation, as before there was a field
// (Kubernetes 1.27, removal of seccomp.security.alpha.kubernetes.io).
func annotated(d caps.Declared) string {
	if d.Pod == nil {
		return ""
	}
	for _, key := range []string{
		"seccomp.security.alpha.kubernetes.io/pod",
		"container.seccomp.security.alpha.kubernetes.io/" + d.Workload.Container,
	} {
		if value := d.Pod.Meta.Annotations[key]; value != "" {
			return fmt.Sprintf("; the annotation %s: %s counts for nothing since Kubernetes 1.27, seccompProfile does", key, value)
		}
	}
	return ""
}

func unprotected(d caps.Declared, message string) []policies.Finding {
	return []policies.Finding{seccomp.Unprotected(d.Workload, place(d, "seccompProfile"), message)}
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

// checkDefault holds the runtime's default profile, for which Docker's stands,
// against the calls. What it allows beyond them is not the manifest's to take
// out.
func checkDefault(p pairing) []policies.Finding {
	if p.observed == nil || blind(*p.observed, KindSeccomp) != nil {
		return nil
	}
	findings := seccomp.Check(seccomp.DockerDefault(), seccompContext(p, "docker"), *p.observed)
	findings = slices.DeleteFunc(findings, func(f policies.Finding) bool {
		return f.Class != policies.Missing && f.Class != policies.Unknown
	})
	for i := range findings {
		findings[i].Message += "; by the runtime's default profile"
		findings[i].Position = place(*p.declared, "seccompProfile")
	}
	return findings
}

// checkProfile holds a profile against the calls, and against itself.
func checkProfile(p pairing, profile seccomp.Profile, engine string) []policies.Finding {
	ctx := seccompContext(p, engine)
	lint := append(seccomp.Lint(profile, ctx), seccomp.CheckCompiled(profile, ctx)...)
	if p.observed == nil || blind(*p.observed, KindSeccomp) != nil {
		return lint
	}
	// Whether programs of another architecture matter, the calls tell better.
	lint = slices.DeleteFunc(lint, func(f policies.Finding) bool { return f.Rule == seccomp.RuleMissingArch })
	return append(seccomp.Check(profile, ctx, *p.observed), lint...)
}

// seccompContext is what a container's manifest and traces say about where its
// profile will be read.
func seccompContext(p pairing, engine string) seccomp.Context {
	ctx := seccomp.Context{Engine: or(engine, p.declared.Engine), Capabilities: bounding(*p.declared, engine)}
	if ctx.Engine == "kubernetes" {
		ctx.Engine = "containerd" // what most clusters run
	}
	if p.observed != nil {
		ctx.Arch = nativeArch(*p.observed)
	}
	return ctx
}

// bounding are the capabilities that a manifest leaves a container.
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
