package report

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/policies/caps"
	"advisor/policies/netpol"
	"advisor/trace"
)

// Effect is what a change of policy means for who wants to do harm.
type Effect string

// The effects of a change, worst first.
const (
	Looser  Effect = "looser"  // allowed now, and not before
	Tighter Effect = "tighter" // allowed before, and not now
	Other   Effect = "changed" // neither, or some of both
)

// Difference is one change between two sets of declared policies.
type Difference struct {
	Effect   Effect            `json:"effect"`
	Kind     string            `json:"kind"`
	Workload policies.Workload `json:"workload,omitzero"`
	Subject  string            `json:"subject"` // "NET_RAW", "a -> b TCP 80", "ptrace"
	Change   string            `json:"change"`  // with a witness where one tells more
	Position policies.Position `json:"position,omitzero"`
}

// CompareManifests says what a second set of manifests allows that the first
// does not, and the reverse, by meaning: the looser first, then by kind,
// workload and subject.
func CompareManifests(before, after Manifests, c Comparison) ([]Difference, error) {
	var list []Difference
	if slices.Contains(c.Kinds, KindCaps) {
		list = append(list, compareCaps(before, after, c.Engine)...)
	}
	var errs []error
	if slices.Contains(c.Kinds, KindSeccomp) {
		changes, err := compareSeccomp(before, after, c.Engine)
		list, errs = append(list, changes...), append(errs, err)
	}
	if slices.Contains(c.Kinds, KindNetpol) {
		changes, err := compareNetpol(before, after, c)
		list, errs = append(list, changes...), append(errs, err)
	}
	list = slices.DeleteFunc(list, func(d Difference) bool {
		return d.Kind != KindNetpol && !c.concerns(d.Workload) // connections have two ends
	})
	slices.SortStableFunc(list, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.Effect.rank(), b.Effect.rank()), a.Workload.Compare(b.Workload),
			strings.Compare(a.Kind, b.Kind), strings.Compare(a.Subject, b.Subject))
	})
	return list, errors.Join(errs...)
}

func (e Effect) rank() int { return slices.Index([]Effect{Looser, Tighter, Other}, e) }

// concerns says that a workload was asked for, or none was.
func (c Comparison) concerns(w policies.Workload) bool {
	return len(c.Workloads) == 0 || slices.ContainsFunc(c.Workloads, func(glob string) bool {
		return MatchWorkload(glob, w)
	})
}

func compareCaps(before, after Manifests, engine string) []Difference {
	var list []Difference
	for _, change := range caps.Compare(before.Declared, after.Declared, engine) {
		list = append(list, Difference{
			Effect: capsEffect(change), Kind: KindCaps, Workload: change.Workload, Subject: change.Subject,
			Change: or(change.Before, absent(change)) + " → " + or(change.After, absent(change)), Position: change.Position,
		})
	}
	return list
}

// absent is what a side says that does not have it: a capability is not granted,
// and the fields of a container are not there where the container is not.
func absent(c caps.Change) string {
	if _, ok := trace.CapabilityNumber(c.Subject); ok {
		return "not granted"
	}
	if c.Subject == "privileged" {
		return "no"
	}
	return "not there"
}

// capsEffect knows which way the words of [caps.Compare] tighten: a capability
// that is there at all is more than none, and so on down each list.
func capsEffect(c caps.Change) Effect {
	order := []string{"", "through set-user-id programs and file capabilities only", "granted"}
	switch c.Subject {
	case "privileged":
		order = []string{"", "yes"}
	case "no_new_privs":
		order = []string{"yes", "no"}
	case "user":
		order = []string{"not root", "the image's", "root"}
	case "root file system":
		order = []string{"read-only", "writable"}
	case "user namespace":
		order = []string{"its own", "the host's"}
	}
	before, after := slices.Index(order, c.Before), slices.Index(order, c.After)
	switch {
	case before < 0 || after < 0 || before == after:
		return Other
	case after > before:
		return Looser
	}
	return Tighter
}

func compareNetpol(before, after Manifests, c Comparison) ([]Difference, error) {
	changes, err := CompareConnections(before, after, c)
	return ConnectionDifferences(changes), err
}

// CompareConnections says which connections between workloads and addresses
// only one set of manifests allows, and whose isolation changes.
func CompareConnections(before, after Manifests, c Comparison) ([]netpol.Change, error) {
	dialect, ok := netpol.DialectOf(c.Dialect)
	if !ok {
		return nil, fmt.Errorf("no network plugin %q is known", c.Dialect)
	}
	var sets [2]netpol.Set
	var errs []error
	for i, m := range []Manifests{before, after} {
		inv, bad := netpol.NewInventory(m.Objects, nil)
		errs = append(errs, bad...)
		sets[i] = netpol.Set{Policies: m.Netpol, Inventory: inv}
	}
	changes := netpol.Compare(sets[0], sets[1], netpol.CompareOptions{
		Dialect: dialect, All: c.AllConnections, Concerns: c.concerns,
	})
	changes = slices.DeleteFunc(changes, func(change netpol.Change) bool {
		return change.Direction != "" && !c.concerns(change.Source.Workload)
	})
	return changes, errors.Join(errs...)
}

// ConnectionDifferences are changes of connections as differences.
func ConnectionDifferences(changes []netpol.Change) []Difference {
	var list []Difference
	for _, change := range changes {
		list = append(list, connectionDifference(change))
	}
	return list
}

func connectionDifference(c netpol.Change) Difference {
	d := Difference{Kind: KindNetpol, Workload: c.Source.Workload, Effect: connectionEffect(c)}
	switch c.Kind {
	case netpol.Isolated, netpol.NotIsolated:
		d.Subject = string(c.Direction)
		if c.Source.Symbolic != "" {
			d.Subject = c.Source.Symbolic + " " + d.Subject
		}
		d.Change = fmt.Sprintf("%s; %s of the connections to and from what is known here follow",
			c.Kind, plural(c.Pairs, "change"))
	default:
		d.Subject = fmt.Sprintf("%s -> %s", c.Source, c.Destination)
		d.Change = fmt.Sprintf("%s → %s", ports(c.Before.String()), ports(c.After.String()))
	}
	if c.Info != "" {
		d.Change += " (" + c.Info + ")"
	}
	if d.Workload.Name == "" {
		d.Workload = c.Destination.Workload
	}
	return d
}

func ports(set string) string { return or(set, "nothing") }

func connectionEffect(c netpol.Change) Effect {
	switch c.Kind {
	case netpol.Isolated, netpol.Removed:
		return Tighter
	case netpol.NotIsolated, netpol.Added:
		return Looser
	}
	more, less := c.After.Minus(c.Before).Empty(), c.Before.Minus(c.After).Empty()
	switch {
	case !more:
		return Looser
	case !less:
		return Tighter
	}
	return Other
}
