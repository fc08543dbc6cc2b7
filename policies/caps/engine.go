package caps

import (
	"fmt"
	"slices"
	"strings"

	"advisor/trace"
)

// all is the word that stands for every capability in the lists of every engine.
const all = "ALL"

// Engine is what turns the lists of a manifest into the sets of a process.
type Engine struct {
	Name string
	// Defaults are the capabilities of a container that says nothing, sorted.
	Defaults []string
	// order is how add and drop are combined.
	order order
	// prefixed says that names may begin with "CAP_". containerd puts the prefix
	// before every name and refuses CAP_CAP_CHOWN.
	prefixed bool
	// ambient says that what a manifest adds reaches processes of a user that is
	// not root, as ambient capabilities.
	ambient bool
}

// order is how an engine combines the two lists.
type order int

const (
	// dropLast: ALL of add, then ALL of drop, then the adds, then the drops. A
	// capability in both lists ends dropped.
	dropLast order = iota
	// addLast: with ALL in drop the result is the add list, else the drops are
	// made first. A capability in both lists ends added.
	addLast
	// conflict: as addLast, but a capability in both lists is refused.
	conflict
)

// Engines are the engines known, sorted by name. A pod on Kubernetes without
// more knowledge is taken to run under containerd. Sources: containerd
// internal/cri/opts WithCapabilities and pkg/oci defaultUnixCaps; CRI-O
// internal/factory/container SpecSetupCapabilities and its default
// configuration; moby oci/caps TweakCapabilities and DefaultCapabilities;
// containers/common pkg/capabilities MergeCapabilities and podman
// pkg/specgen/generate securityConfigureGenerator.
func Engines() []Engine {
	small := []string{
		"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE",
		"SETGID", "SETPCAP", "SETUID",
	}
	medium := sorted(append(slices.Clone(small), "SETFCAP", "SYS_CHROOT"))
	large := sorted(append(slices.Clone(medium), "AUDIT_WRITE", "MKNOD", "NET_RAW"))
	return []Engine{
		{Name: "containerd", Defaults: large, order: dropLast},
		{Name: "cri-o", Defaults: small, order: dropLast, prefixed: true},
		{Name: "docker", Defaults: large, order: addLast, prefixed: true},
		{Name: "kubernetes", Defaults: large, order: dropLast},
		{Name: "podman", Defaults: medium, order: conflict, prefixed: true, ambient: true},
	}
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

// CheckEngine fails where no engine is called so; "" is the default one.
func CheckEngine(name string) error {
	_, err := engineOf(name)
	return err
}

func engineOf(name string) (Engine, error) {
	if name == "" {
		name = "kubernetes"
	}
	var names []string
	for _, e := range Engines() {
		if e.Name == name {
			return e, nil
		}
		names = append(names, e.Name)
	}
	return Engine{}, fmt.Errorf("engine %q is not known, only %s", name, strings.Join(names, ", "))
}

// Resolve returns the bounding set that the engine makes of add and drop,
// sorted, without "CAP_". It fails where the engine would refuse to start the
// container.
func (e Engine) Resolve(add, drop []string) ([]string, error) {
	add, err := e.names(add)
	if err != nil {
		return nil, err
	}
	if drop, err = e.names(drop); err != nil {
		return nil, err
	}
	switch e.order {
	case dropLast:
		return e.dropLast(add, drop), nil
	case conflict:
		if err := conflicts(add, drop); err != nil {
			return nil, err
		}
	}
	return e.addLast(add, drop), nil
}

// names are the names of a list without prefix, upper case.
func (e Engine) names(list []string) ([]string, error) {
	names := make([]string, len(list))
	for i, name := range list {
		name = strings.ToUpper(name)
		if bare, ok := strings.CutPrefix(name, "CAP_"); ok && e.prefixed {
			name = bare
		}
		_, known := trace.CapabilityNumber(name)
		if name != all && (!known || strings.HasPrefix(name, "CAP_")) {
			return nil, fmt.Errorf("%s does not know the capability %q%s", e.Name, list[i], prefixHint(name))
		}
		names[i] = name
	}
	return names, nil
}

func prefixHint(name string) string {
	bare, prefixed := strings.CutPrefix(name, "CAP_")
	if _, known := trace.CapabilityNumber(bare); prefixed && known {
		return ", which it names " + bare
	}
	return ""
}

func (e Engine) dropLast(add, drop []string) []string {
	set := make(map[string]bool)
	switch {
	case slices.Contains(drop, all):
	case slices.Contains(add, all):
		put(set, trace.Capabilities(), true)
	default:
		put(set, e.Defaults, true)
	}
	put(set, add, true)
	put(set, drop, false)
	return list(set)
}

func (e Engine) addLast(add, drop []string) []string {
	set := make(map[string]bool)
	switch {
	case slices.Contains(add, all):
		put(set, trace.Capabilities(), true)
		put(set, drop, false)
		return list(set)
	case slices.Contains(drop, all):
	default:
		put(set, e.Defaults, true)
		put(set, drop, false)
	}
	put(set, add, true)
	return list(set)
}

func conflicts(add, drop []string) error {
	if slices.Contains(add, all) {
		if slices.Contains(drop, all) {
			return fmt.Errorf("podman refuses to add ALL and drop ALL")
		}
		return nil
	}
	for _, name := range add {
		if slices.Contains(drop, name) {
			return fmt.Errorf("podman refuses to add and drop %s", name)
		}
	}
	return nil
}

func put(set map[string]bool, names []string, in bool) {
	for _, name := range names {
		if name != all {
			set[name] = in
		}
	}
}

// list are the members of a set, sorted.
func list(set map[string]bool) []string {
	names := []string{}
	for _, name := range trace.Capabilities() {
		if set[name] {
			names = append(names, name)
		}
	}
	return names
}
