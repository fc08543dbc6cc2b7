package report

import (
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/policies/caps"
)

func capsFormats() []Format {
	return []Format{
		{"kubernetes", ".caps.yaml", true, "a container's securityContext"},
		{"patch", ".caps-patch.yaml", true, "a strategic merge patch of the workload"},
		{"docker", ".caps.flags", false, "flags of docker run"},
		{"podman", ".caps.flags", false, "flags of podman run"},
		{"compose", ".caps.compose.yaml", true, "the keys of a compose service"},
		{"systemd", ".caps.conf", false, "a drop-in for a unit"},
	}
}

// Caps makes the capability list of one workload.
func Caps(o policies.Observation, opt caps.Options, format Format) (Policy, error) {
	if opt.Engine == "" && (format.Name == "docker" || format.Name == "podman") {
		opt.Engine = format.Name
	}
	s, err := caps.Synthesize(o, opt)
	if err != nil {
		return Policy{}, err
	}
	text, err := capsText(s, format)
	if err != nil {
		return Policy{}, fmt.Errorf("capabilities of %s: %w", o.Workload, err)
	}
	made := Policy{
		Kind: KindCaps, Workload: o.Workload, Format: format.Name,
		File: FileStem(o.Workload) + format.Suffix, Text: text,
		Proof: caps.Prove(s, o), Lines: withUnused(capsLines(s), o), Verified: s.Verified,
		Notes: append(s.Notes, s.Caveats...), Evidence: o.Evidence,
	}
	if format.Name == "kubernetes" || format.Name == "patch" {
		made.PodSecurity = &s.Standing
	}
	return made.proven()
}

func capsText(s caps.Synthesis, format Format) (string, error) {
	var text []byte
	var err error
	switch format.Name {
	case "patch":
		text, err = caps.PodPatch(s)
	case "docker", "podman":
		return strings.Join(caps.RunFlags(s), " ") + "\n", nil
	case "compose":
		text, err = caps.Compose(s)
	case "systemd":
		text = caps.Systemd(s)
	default:
		text, err = caps.ContainerYAML(s)
	}
	return string(text), err
}

// capsLines are all checks, what they mean and who made them: also those that
// give no capability, which is what people ask about. Checks that say the same
// of one capability make one line.
func capsLines(s caps.Synthesis) []Line {
	var lines []Line
	calls := make(map[int][]string)
	for _, f := range s.Facts {
		line := Line{
			Subject: f.Name, Reason: string(f.Class), Detail: f.Reason, Phase: string(f.Phase),
		}
		i := slices.IndexFunc(lines, func(l Line) bool {
			l.Seen = nil
			return l == line
		})
		if i < 0 {
			i = len(lines)
			line.Seen = &policies.Seen{First: f.First}
			lines = append(lines, line)
		}
		joinSeen(lines[i].Seen, f.Seen)
		if f.Syscall != "" && !strings.Contains(f.Reason, f.Syscall) && !slices.Contains(calls[i], f.Syscall) {
			calls[i] = append(calls[i], f.Syscall)
		}
	}
	for i := range lines {
		if len(calls[i]) > 0 {
			slices.Sort(calls[i])
			lines[i].Detail += ", in " + strings.Join(calls[i], ", ")
		}
	}
	return verifiedLines(lines, s.Verified)
}

// verifiedLines puts the verdicts of an experiment beside what is inferred of
// the workload. One on a capability that was never asked for makes a line.
func verifiedLines(lines []Line, v *caps.Verified) []Line {
	if v == nil {
		return lines
	}
	for _, trial := range v.Verdicts {
		at := telling(lines, trial.Name)
		for _, i := range at {
			lines[i].Verified = &trial
		}
		if len(at) == 0 {
			lines = append(lines, Line{
				Subject: trial.Name, Reason: reasonVerified, Detail: "not seen in the recording", Verified: &trial,
			})
		}
	}
	return lines
}

// telling are the lines that say most of a capability: of the first class in
// the order of [caps.Classes] that there is one of.
func telling(lines []Line, name string) []int {
	for _, class := range caps.Classes() {
		var at []int
		for i, l := range lines {
			if l.Subject == name && l.Reason == string(class) && class != caps.Runtime {
				at = append(at, i)
			}
		}
		if len(at) > 0 {
			return at
		}
	}
	return nil
}

// reasonVerified is the reason of a line that rests on an experiment alone.
const reasonVerified = "verified"

// joinSeen adds the evidence of another sighting of the same.
func joinSeen(into *policies.Seen, more policies.Seen) {
	if more.First.Time.Before(into.First.Time) {
		into.First = more.First
	}
	into.Count += more.Count
	into.Containers = max(into.Containers, more.Containers)
	into.Comms = append(into.Comms, more.Comms...)
	slices.Sort(into.Comms)
	into.Comms = slices.Compact(into.Comms)
}
