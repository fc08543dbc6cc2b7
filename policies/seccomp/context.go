package seccomp

import (
	"cmp"
	"strconv"
	"strings"

	"advisor/trace"
)

// Context is what a profile's meaning depends on besides its text. The zero
// value is an x86_64 host with the newest kernel, libseccomp alone, and no
// capabilities.
type Context struct {
	Engine string `json:"engine,omitempty"` // docker, podman, containerd, cri-o; empty: none
	// Capabilities is the container's bounding set, with or without "CAP_".
	Capabilities []string `json:"capabilities,omitempty"`
	Arch         string   `json:"arch,omitempty"`   // the host's audit architecture; empty: x86_64
	Kernel       string   `json:"kernel,omitempty"` // "6.1" or longer; empty: newer than any condition
	Runtime      string   `json:"runtime,omitempty"`
	// RuntimeVersion is "1.1.5"; empty is the newest.
	RuntimeVersion string `json:"runtimeVersion,omitempty"`
}

// Runtimes whose handling of profiles is known.
const (
	Runc = "runc"
	Crun = "crun"
)

// engineCapabilities are the bounding sets that engines give by default (moby
// oci/caps/defaults.go and containerd pkg/oci, defaultUnixCaps; containers.conf
// of Podman and crio.conf of CRI-O, default_capabilities).
const (
	crioCapabilities = "CHOWN DAC_OVERRIDE FOWNER FSETID KILL NET_BIND_SERVICE SETGID SETPCAP " +
		"SETUID"
	podmanCapabilities = crioCapabilities + " SETFCAP SYS_CHROOT"
	dockerCapabilities = podmanCapabilities + " AUDIT_WRITE MKNOD NET_RAW"
)

// Engines are those whose handling of profiles is known.
func Engines() []string { return []string{"docker", "podman", "containerd", "cri-o"} }

// EngineCapabilities is the bounding set an engine gives when nothing is said,
// without "CAP_".
func EngineCapabilities(engine string) []string {
	switch engine {
	case "docker", "containerd":
		return strings.Fields(dockerCapabilities)
	case "podman":
		return strings.Fields(podmanCapabilities)
	case "cri-o":
		return strings.Fields(crioCapabilities)
	}
	return nil
}

// String names the context in one line, for a report.
func (c Context) String() string {
	words := []string{c.host()}
	if c.Engine != "" {
		words = append(words, c.Engine)
	}
	switch {
	case c.Runtime != "" && c.RuntimeVersion != "":
		words = append(words, c.Runtime+" "+c.RuntimeVersion)
	case c.Runtime != "":
		words = append(words, c.Runtime)
	}
	if c.Kernel != "" {
		words = append(words, "kernel "+c.Kernel)
	}
	return strings.Join(words, ", ")
}

func (c Context) host() string { return cmp.Or(c.Arch, trace.ArchX8664) }

// hasCap tells whether the container has a capability that a profile names.
// Engines know only the whole word, "CAP_SYS_ADMIN".
func (c Context) hasCap(name string) bool {
	for _, have := range c.Capabilities {
		have = strings.TrimPrefix(strings.ToUpper(have), "CAP_")
		if "CAP_"+have == name || have == "ALL" && wholeCap(name) {
			return true
		}
	}
	return false
}

// wholeCap tells the words that engines may know.
func wholeCap(name string) bool {
	return strings.HasPrefix(name, "CAP_") && name == strings.ToUpper(name)
}

// atLeast compares versions as "1.1.15" numerically part by part; what stands
// behind the numbers does not count. An empty version is the newest.
func atLeast(version, least string) bool {
	if version == "" {
		return true
	}
	have, want := numbers(version), numbers(least)
	for i, w := range want {
		h := 0
		if i < len(have) {
			h = have[i]
		}
		if h != w {
			return h > w
		}
	}
	return true
}

func numbers(version string) []int {
	var list []int
	for _, part := range strings.Split(version, ".") {
		digits := strings.TrimLeft(part, "0123456789")
		n, err := strconv.Atoi(part[:len(part)-len(digits)])
		if err != nil {
			return list
		}
		list = append(list, n)
		if digits != "" {
			return list
		}
	}
	return list
}
