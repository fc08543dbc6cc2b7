package report

import (
	"slices"

	"advisor/policies"
	"advisor/policies/caps"
)

// reasonUnused is a capability that was granted while recording and that nothing
// needed: what the list takes away.
const reasonUnused = "unused"

const detailUnused = "granted while recording, and nothing in it needed this"

// withUnused adds a line for each capability that every container of the workload
// was granted and that nothing in the recording needed. Of privileged containers,
// which are granted all there are, that says nothing.
func withUnused(lines []Line, o policies.Observation) []Line {
	for _, name := range grantedToAll(o) {
		needed := slices.ContainsFunc(lines, func(l Line) bool {
			return l.Subject == name && l.Reason != string(caps.Incidental) && l.Reason != string(caps.Runtime)
		})
		if !needed {
			lines = append(lines, Line{
				Subject: name, Reason: reasonUnused, Detail: detailUnused,
			})
		}
	}
	return lines
}

// grantedToAll are the capabilities that all containers have of which the
// recording says what they were granted, sorted.
func grantedToAll(o policies.Observation) []string {
	var all []string
	first := true
	for _, c := range o.Containers {
		switch {
		case c.Granted == nil, len(c.Granted.Capabilities) == 0 && !c.Granted.CapabilitiesKnown:
		case c.Granted.Privileged:
			return nil
		case first:
			all, first = slices.Sorted(slices.Values(c.Granted.Capabilities)), false
		default:
			all = slices.DeleteFunc(all, func(name string) bool { return !slices.Contains(c.Granted.Capabilities, name) })
		}
	}
	return slices.Compact(all)
}
