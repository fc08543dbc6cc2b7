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
	kind := seccomp.Format(format.Name)
	// The objects have no errno for the default action.
	opt.SpellOut = opt.SpellOut || kind == seccomp.SPO || kind == seccomp.SPOBeta
	s, err := seccomp.Synthesize(o, opt)
	if err == nil {
		err = firmBase(opt)
	}
	if err != nil {
		return Policy{}, fmt.Errorf("seccomp profile of %s: %w", o.Workload, err)
	}
	text, err := seccompText(s, o.Workload, kind)
	if err != nil {
		return Policy{}, fmt.Errorf("seccomp profile of %s: %w", o.Workload, err)
	}
	p := Policy{
		Kind: KindSeccomp, Workload: o.Workload, Format: format.Name,
		File: FileStem(o.Workload) + format.Suffix, Text: string(text),
		Proof: ProveSeccomp(s, o, opt, text), Lines: seccompLines(s),
		Notes: s.Notes, Evidence: o.Evidence,
	}
	if format.Name == formatList {
		// The list is that of the profile, which is what can be proven.
		p.Text = strings.Join(callNames(s), "\n") + "\n"
	}
	return p.proven()
}

// firmBase refuses a base profile of which libseccomp makes something else than
// it says: what is made from it would inherit that.
func firmBase(opt seccomp.Options) error {
	if opt.Base == nil {
		return nil
	}
	for _, f := range seccomp.CheckCompiled(*opt.Base, opt.Context) {
		return fmt.Errorf("base profile: %s: %s: %s", f.Position, f.Subject, f.Message)
	}
	return nil
}

// seccompText is the profile as it is printed; for a list, the one that its
// names are of.
func seccompText(s seccomp.Synthesis, w policies.Workload, kind seccomp.Format) ([]byte, error) {
	p := s.Profile
	switch kind {
	case formatList:
		kind = seccomp.OCI
	case seccomp.SPO:
		p.Name = FileStem(w)
	case seccomp.SPOBeta:
		p.Name, p.Namespace = FileStem(w), w.Namespace
	}
	return p.Render(kind)
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
