package report

import (
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/policies/seccomp"
)

// formatList is no format of a runtime: the names alone.
const formatList = "list"

func seccompFormats() []Format {
	return []Format{
		{string(seccomp.OCI), ".seccomp.json", false, "linux.seccomp of the OCI runtime specification"},
		{string(seccomp.Docker), ".seccomp.json", false, "for docker run --security-opt seccomp=FILE"},
		{string(seccomp.Podman), ".seccomp.json", false, "for podman run and CRI-O"},
		{string(seccomp.SPO), ".seccomp.yaml", true, "a SeccompProfile object, v1"},
		{string(seccomp.SPOBeta), ".seccomp.yaml", true, "a SeccompProfile object, v1beta1"},
		{formatList, ".seccomp.txt", false, "the names of the allowed calls, one a line"},
	}
}

// Seccomp makes the profile of one workload.
func Seccomp(o policies.Observation, opt seccomp.Options, format Format) (Policy, error) {
	s, err := seccomp.Synthesize(o, opt)
	if err != nil {
		return Policy{}, fmt.Errorf("seccomp profile of %s: %w", o.Workload, err)
	}
	text, err := seccompText(&s, o.Workload, format)
	if err != nil {
		return Policy{}, fmt.Errorf("seccomp profile of %s: %w", o.Workload, err)
	}
	return Policy{
		Kind: KindSeccomp, Workload: o.Workload, Format: format.Name,
		File: FileStem(o.Workload) + format.Suffix, Text: text,
		// After the text: a format may have changed what is proven.
		Proof: seccomp.Prove(s, o, opt.Context), Lines: seccompLines(s),
		Notes: s.Notes, Evidence: o.Evidence,
	}.proven()
}

// seccompText renders the profile, and leaves in s what was rendered.
func seccompText(s *seccomp.Synthesis, w policies.Workload, format Format) (string, error) {
	switch seccomp.Format(format.Name) {
	case formatList:
		return strings.Join(callNames(*s), "\n") + "\n", nil
	case seccomp.SPO, seccomp.SPOBeta:
		// The objects have no defaultErrnoRet.
		s.Profile = seccomp.WithoutDefaultErrno(s.Profile)
		s.Profile.Name = FileStem(w)
		if format.Name == string(seccomp.SPOBeta) {
			s.Profile.Namespace = w.Namespace
		}
	}
	text, err := s.Profile.Render(seccomp.Format(format.Name))
	return string(text), err
}

func callNames(s seccomp.Synthesis) []string {
	var names []string
	for _, r := range s.Reasons {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func seccompLines(s seccomp.Synthesis) []Line {
	var lines []Line
	for _, r := range s.Reasons {
		line := Line{Subject: r.Name, Reason: string(r.Reason), Detail: r.Detail}
		if r.Arch != s.Reasons[0].Arch {
			line.Subject += " (" + r.Arch + ")"
		}
		if r.Args > 0 {
			line.Detail = strings.TrimPrefix(line.Detail+fmt.Sprintf("; %d sets of arguments", r.Args), "; ")
		}
		if !r.Seen.First.Time.IsZero() || r.Seen.Containers > 0 {
			line.Seen = &r.Seen
		}
		lines = append(lines, line)
	}
	return lines
}
