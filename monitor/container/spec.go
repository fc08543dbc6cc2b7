package container

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"advisor/trace"
)

// spec is what advisor reads of an OCI bundle's config.json (runtime-spec
// 1.0 and later): what is in force for the container, not what was asked for.
type spec struct {
	Hostname string `json:"hostname"`
	Process  struct {
		Args            []string `json:"args"`
		NoNewPrivileges bool     `json:"noNewPrivileges"`
		User            struct {
			UID, GID uint32
		} `json:"user"`
		Capabilities *struct {
			Bounding []string `json:"bounding"`
		} `json:"capabilities"`
	} `json:"process"`
	Root struct {
		Path string `json:"path"`
	} `json:"root"`
	Mounts []struct {
		Destination string `json:"destination"`
		Source      string `json:"source"`
	} `json:"mounts"`
	Annotations map[string]string `json:"annotations"`
	Linux       struct {
		CgroupsPath string            `json:"cgroupsPath"`
		Sysctl      map[string]string `json:"sysctl"`
		Seccomp     json.RawMessage   `json:"seccomp"`
		MaskedPaths []string          `json:"maskedPaths"`
	} `json:"linux"`
}

// parseSpec reads a config.json.
func parseSpec(data []byte) (*spec, error) {
	s := new(spec)
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("runtime spec: %w", err)
	}
	if len(s.Process.Args) == 0 && s.Root.Path == "" {
		return nil, fmt.Errorf("runtime spec: neither process nor root in it")
	}
	return s, nil
}

// granted is what the spec gives the container. A spec without capabilities
// gives none; one without seccomp confines nothing.
func (s *spec) granted() *trace.Granted {
	nnp := s.Process.NoNewPrivileges
	g := &trace.Granted{
		CapabilitiesKnown: true,
		NoNewPrivileges:   &nnp,
		Seccomp:           profileDigest(s.Linux.Seccomp),
		User:              fmt.Sprintf("%d:%d", s.Process.User.UID, s.Process.User.GID),
	}
	if s.Process.Capabilities != nil {
		g.Capabilities = capabilityNames(s.Process.Capabilities.Bounding)
	}
	return g
}

// capabilityNames drops the prefix, sorts, and keeps names only.
func capabilityNames(names []string) []string {
	var out []string
	for _, name := range names {
		name = strings.TrimPrefix(clean(name, 64), "CAP_")
		if name != "" && len(out) < 64 {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// profileDigest names a resolved seccomp profile: the SHA-256 of its JSON with
// sorted keys and no blanks, so that the same profile has the same name under
// every runtime.
func profileDigest(profile json.RawMessage) string {
	if len(profile) == 0 || string(profile) == "null" {
		return "unconfined"
	}
	dec := json.NewDecoder(bytes.NewReader(profile))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return ""
	}
	canonical, err := json.Marshal(v) // sorts the keys of maps
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(canonical)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// portStart is net.ipv4.ip_unprivileged_port_start where the spec sets it.
func (s *spec) portStart() *int {
	n, err := strconv.Atoi(s.Linux.Sysctl["net.ipv4.ip_unprivileged_port_start"])
	if err != nil || n < 0 || n > 65535 {
		return nil
	}
	return &n
}

// mount returns the host's path of what is mounted at destination.
func (s *spec) mount(destination string) string {
	for _, m := range s.Mounts {
		if m.Destination == destination && filepath.IsAbs(m.Source) {
			return filepath.Clean(m.Source)
		}
	}
	return ""
}

// findSpec reads the bundle's config.json, wherever the bundle is.
func (q *query) findSpec() {
	for _, bundle := range q.bundles() {
		data, err := q.files.read(filepath.Join(bundle, "config.json"))
		if err != nil {
			continue
		}
		s, err := parseSpec(data)
		if err != nil {
			q.pending = true // being written, perhaps
			continue
		}
		q.spec, q.bundle = s, bundle
		q.useSpec()
		return
	}
}

// useSpec takes from the spec what every runtime writes the same way.
func (q *query) useSpec() {
	q.c.Granted = q.spec.granted()
	q.c.UnprivilegedPortStart = q.spec.portStart()
	if len(q.spec.Process.Args) > 0 {
		q.c.Command = clean(q.spec.Process.Args[0], maxPath)
	}
	// Plain bundles have no image but by this convention of the image spec.
	q.c.Image = cmp.Or(q.c.Image, clean(q.spec.Annotations["org.opencontainers.image.ref.name"], maxValue))
	q.resolv()
}

// resolv reads resolv.conf where the runtime mounts it, else in the root
// filesystem of the bundle.
func (q *query) resolv() {
	const path = "/etc/resolv.conf"
	var data []byte
	var err error
	switch mounted := q.spec.mount(path); {
	case mounted != "":
		data, err = q.files.read(mounted)
	case filepath.IsAbs(q.spec.Root.Path):
		data, err = q.readInRoot(q.spec.Root.Path, path[1:])
	case q.spec.Root.Path != "":
		data, err = q.readInRoot(filepath.Join(q.bundle, q.spec.Root.Path), path[1:])
	}
	if err == nil {
		q.c.Resolv = parseResolv(data)
	}
}
