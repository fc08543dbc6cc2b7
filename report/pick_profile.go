package report

import (
	"path"
	"slices"
	"strings"

	"advisor/policies/caps"
	"advisor/policies/seccomp"
)

// profile finds the profile that a container's manifest names, nil where it is not
// among the manifests. The path is below the kubelet's folder for Kubernetes, and
// beside the manifest elsewhere; what is compared is how the paths end. Of several
// files that end alike it is the one nearest to the manifest, and none where that
// does not tell either.
func (m *Manifests) profile(d caps.Declared) *seccomp.Profile {
	found := m.profilesNamed(d)
	if len(found) != 1 {
		return nil
	}
	return found[0]
}

// whyNoProfile says why a container's profile is not found.
func (m *Manifests) whyNoProfile(d caps.Declared) string {
	var files []string
	for _, p := range m.profilesNamed(d) {
		files = append(files, p.Position.File)
	}
	if len(files) == 0 {
		return "the profile is not among the manifests"
	}
	return "several files may be the profile: " + strings.Join(files, ", ")
}

// profilesNamed are the profiles that a container's manifest may mean, all as likely.
func (m *Manifests) profilesNamed(d caps.Declared) []*seccomp.Profile {
	wanted := strings.TrimPrefix(path.Clean("/"+d.SeccompProfile), "/")
	best, most := []*seccomp.Profile(nil), [2]int{}
	for i := range m.Profiles {
		p := &m.Profiles[i]
		for _, name := range profileNames(*p) {
			alike := [2]int{alikeParts(reversed(name), reversed(wanted)), 0}
			if alike[0] == 0 {
				continue
			}
			alike[1] = alikeParts(strings.Split(p.Position.File, "/"), strings.Split(d.Position.File, "/"))
			switch c := slices.Compare(alike[:], most[:]); {
			case c > 0:
				best, most = []*seccomp.Profile{p}, alike
			case c == 0:
				best = append(best, p)
			}
		}
	}
	return best
}

// reversed are the parts of a path, the last first.
func reversed(name string) []string {
	parts := strings.Split(name, "/")
	slices.Reverse(parts)
	return parts
}

// alikeParts is how many parts two paths have in common from their beginning on.
func alikeParts(a, b []string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// profileNames are the paths under which pods know a profile: its file or, for
// an object, where the Security Profiles Operator puts it.
func profileNames(p seccomp.Profile) []string {
	switch {
	case p.Name == "":
		return []string{p.Position.File}
	case p.Namespace == "":
		return []string{"operator/" + p.Name + ".json"}
	}
	return []string{"operator/" + p.Namespace + "/" + p.Name + ".json"}
}
