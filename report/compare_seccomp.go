package report

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/policies/caps"
	"advisor/policies/seccomp"
)

// compareSeccomp says what changes for each container of both sets, by what
// its profile does, and for each profile that no container names.
func compareSeccomp(before, after Manifests, engine string) ([]Difference, error) {
	var list []Difference
	var errs []error
	for _, pair := range caps.Twins(before.Declared, after.Declared) {
		old, now := pair[0], pair[1]
		if old.Role == "" || now.Role == "" || old.Windows {
			continue
		}
		changes, err := compareProfiles(before.named(old), after.named(now), [2]pairing{{declared: &old}, {declared: &now}}, engine)
		list, errs = append(list, changes...), append(errs, err)
	}
	loose, err := compareLoose(before, after)
	return append(list, loose...), errors.Join(append(errs, err)...)
}

// namedProfile is what a container says of its profile: the profile itself
// where it is known, and its name.
type namedProfile struct {
	name    string
	profile *seccomp.Profile
	at      policies.Position
}

// String is the profile's name, and whether it is known what it allows.
func (n namedProfile) String() string {
	if n.profile == nil && !n.open() {
		return n.name + " (not among the manifests)"
	}
	return n.name
}

func (m Manifests) named(d caps.Declared) namedProfile {
	n := namedProfile{name: d.SeccompType, at: place(d, "seccompProfile")}
	switch {
	case unfiltered(d):
		n.name = "none: privileged"
	case d.SeccompType == "Localhost":
		n.name, n.profile = d.SeccompProfile, m.profile(d)
	case d.SeccompType == "" && d.Engine == "kubernetes":
		n.name = "none"
	case d.SeccompType == "Unconfined":
	default:
		profile := seccomp.DockerDefault()
		n.name, n.profile = "RuntimeDefault", &profile
	}
	return n
}

// open says that nothing restricts the calls.
func (n namedProfile) open() bool {
	return n.name == "Unconfined" || strings.HasPrefix(n.name, "none")
}

func compareProfiles(old, now namedProfile, p [2]pairing, engine string) ([]Difference, error) {
	whole := Difference{
		Kind: KindSeccomp, Workload: p[1].workload(), Subject: "profile",
		Change: fmt.Sprintf("%s → %s", old, now), Position: now.at,
	}
	switch {
	case old.open() && now.open():
		return nil, nil
	case now.open():
		whole.Effect = Looser
		return []Difference{whole}, nil
	case old.open():
		whole.Effect = Tighter
		return []Difference{whole}, nil
	case old.profile == nil || now.profile == nil:
		if old.String() == now.String() {
			return nil, nil
		}
		whole.Effect = Other
		return []Difference{whole}, nil
	}
	was, is := seccompContext(p[0], engine), seccompContext(p[1], engine)
	if old.name == "RuntimeDefault" || now.name == "RuntimeDefault" {
		was.Engine, is.Engine = "docker", "docker"
	}
	if slices.Equal(was.Capabilities, is.Capabilities) {
		return compareCalls(*old.profile, *now.profile, is, p[1].workload())
	}
	return compareResolved(*old.profile, *now.profile, was, is, p[1].workload())
}

// compareResolved compares profiles of a container whose capabilities change: with
// them rules come into force, or go, of a profile that stays as it is.
func compareResolved(old, now seccomp.Profile, was, is seccomp.Context, w policies.Workload) ([]Difference, error) {
	before, err := seccomp.Resolve(old, was)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", fileOf(old), err)
	}
	after, err := seccomp.Resolve(now, is)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", fileOf(now), err)
	}
	changes, err := seccomp.Compare(before, after, is)
	var list []surroundedChange
	where := ""
	if sameText(old, now) {
		where = "with the capabilities of each side"
	}
	for _, c := range changes {
		list = append(list, surroundedChange{c, where})
	}
	return callDifferences(list, w), err
}

// compareCalls compares two profiles by their rules and, where libseccomp is in
// this build, by the programs it compiles.
func compareCalls(old, now seccomp.Profile, ctx seccomp.Context, w policies.Workload) ([]Difference, error) {
	if sameText(old, now) {
		if _, err := seccomp.Load(now, ctx); err != nil { // one that no runtime takes is still told
			return nil, fmt.Errorf("%s: %w", fileOf(now), err)
		}
		return nil, nil
	}
	changes, err := changesAnywhere(old, now, ctx)
	list := callDifferences(changes, w)
	if err != nil {
		return list, fmt.Errorf("comparing %s and %s: %w", fileOf(old), fileOf(now), err)
	}
	doubts, err := seccomp.Doubts(old, now, ctx)
	if err != nil {
		return list, nil // there was nobody to ask
	}
	for _, d := range doubts {
		list = append(list, doubtful(d, now, ctx, w))
	}
	return list, nil
}

// fileOf names where a profile stands.
func fileOf(p seccomp.Profile) string {
	if p.Position.File == "" {
		return "a profile that could not be read"
	}
	return p.Position.File
}

// doubtful is a change that the compiled programs make otherwise than the
// rules: its effect is what the kernel will do.
func doubtful(d seccomp.Doubt, now seccomp.Profile, ctx seccomp.Context, w policies.Workload) Difference {
	effect := Other
	switch was, is := d.CompiledBefore.Action.Admits(), d.CompiledAfter.Action.Admits(); {
	case !was && is:
		effect = Looser
	case was && !is:
		effect = Tighter
	}
	change := fmt.Sprintf("%v → %v as libseccomp compiles it; by the rules %v → %v",
		d.CompiledBefore, d.CompiledAfter, d.Before, d.After)
	if d.When != "" {
		change += " when " + d.When
	}
	return Difference{
		Effect: effect, Kind: KindSeccomp, Workload: w, Subject: ofArch(d.Name, d.Arch), Change: change,
		Position: seccomp.Evaluate(now, ctx, d.Witness).Position,
	}
}

// ofArch is a call's name, with its architecture where that is not a host's.
func ofArch(name, arch string) string {
	if arch == "x86_64" || arch == "aarch64" || arch == "" {
		return name
	}
	return name + " (" + arch + ")"
}

// compareLoose compares profiles that stand for themselves, by their names; where
// there is one on each side, whatever they are called.
func compareLoose(before, after Manifests) ([]Difference, error) {
	var list []Difference
	var errs []error
	old, fresh := before.loose(), after.loose()
	key := profileKey
	if len(before.Profiles)+len(after.Profiles) == 2 {
		key = func(seccomp.Profile) string { return "" }
	}
	for _, pair := range policies.Twins(old, fresh, key, func(p seccomp.Profile) string { return p.Position.File }) {
		if pair[0] < 0 || pair[1] < 0 {
			continue
		}
		changes, err := compareCalls(old[pair[0]], fresh[pair[1]], seccomp.Context{}, policies.Workload{})
		list, errs = append(list, changes...), append(errs, err)
	}
	return list, errors.Join(errs...)
}

// loose are the profiles that no container names.
func (m Manifests) loose() []seccomp.Profile {
	var list []seccomp.Profile
	for i := range m.Profiles {
		used := slices.ContainsFunc(m.Declared, func(d caps.Declared) bool {
			return d.SeccompProfile != "" && m.profile(d) == &m.Profiles[i]
		})
		if !used {
			list = append(list, m.Profiles[i])
		}
	}
	return list
}

func profileKey(p seccomp.Profile) string {
	if p.Name != "" {
		return p.Namespace + "/" + p.Name
	}
	return p.Position.File[strings.LastIndexByte(p.Position.File, '/')+1:]
}

func callDifferences(changes []surroundedChange, w policies.Workload) []Difference {
	var list []Difference
	for _, c := range changes {
		effect := Other
		switch c.Kind {
		case seccomp.Permitted:
			effect = Looser
		case seccomp.Refused:
			effect = Tighter
		}
		change := fmt.Sprintf("%v → %v", c.Before, c.After)
		if c.When != "" {
			change += " when " + c.When
		}
		if c.where != "" {
			change += " " + c.where
		}
		at := c.New
		if at.Line == 0 {
			at = c.Old
		}
		list = append(list, Difference{
			Effect: effect, Kind: KindSeccomp, Workload: w, Subject: ofArch(c.Name, c.Arch),
			Change: change, Position: at,
		})
	}
	return list
}
