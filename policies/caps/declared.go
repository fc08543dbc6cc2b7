package caps

import (
	"path"
	"slices"
	"strings"

	"advisor/policies"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Roles of a container in its pod.
const (
	RoleContainer = "container"
	RoleInit      = "init"
	RoleSidecar   = "sidecar" // an init container that keeps running
	RoleEphemeral = "ephemeral"
)

// Declared is what a manifest says of one container.
type Declared struct {
	// Workload is named as in an observation. Its Namespace is empty where the
	// manifest names none: it may then be any.
	Workload policies.Workload
	Engine   string // that reads such a manifest: kubernetes, docker or podman
	Role     string // in a pod; RoleContainer elsewhere
	Add      []Name
	Drop     []Name

	Privileged               *bool
	AllowPrivilegeEscalation *bool
	RunAsNonRoot             *bool
	User                     *int64 // nil for the image's own
	UserName                 string // where the manifest gives a name
	Group                    *int64
	ReadOnlyRootFilesystem   *bool
	// Writable are the paths in the container where something else than the root
	// file system is mounted, to be written to: volumes and tmpfs.
	Writable       []string
	SeccompType    string // RuntimeDefault, Localhost, Unconfined or empty
	SeccompProfile string
	UserNamespace  bool // one of its own
	Windows        bool // to which none of this applies
	bare           bool // podman adds no tmpfs to a read-only root

	Position policies.Position // of the container
	// At are the places of securityContext, capabilities, and the fields above by
	// their names in the manifest; places of what is absent are those of the
	// nearest ancestor.
	At map[string]policies.Position
	// Pod is the whole pod, nil outside of Kubernetes.
	Pod *Pod
}

// Name is a capability, or ALL, as a manifest writes it.
type Name struct {
	Text string
	policies.Position
}

// Pod is the pod that a declared container belongs to.
type Pod struct {
	Meta meta.ObjectMeta
	Spec core.PodSpec
}

// For tells whether d is the declaration of w. Where the manifest names no
// namespace or project it may be any.
func (d Declared) For(w policies.Workload) bool {
	same := d.Workload.Kind == w.Kind && d.Workload.Name == w.Name &&
		(d.Workload.Namespace == w.Namespace || d.Workload.Namespace == "")
	return same && (d.Workload.Container == w.Container || w.Container == "" && d.only())
}

// only is true for the only container of its pod.
func (d Declared) only() bool {
	return d.Pod != nil && len(d.Pod.Spec.Containers)+len(d.Pod.Spec.InitContainers) == 1
}

func texts(names []Name) []string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = n.Text
	}
	return list
}

// at is the place of a field, or of the container.
func (d Declared) at(field string) policies.Position {
	if p, ok := d.At[field]; ok && p.Line > 0 {
		return p
	}
	return d.Position
}

// nonRoot is true where the container surely does not start as root, known
// where the manifest decides it at all.
func (d Declared) nonRoot() (nonRoot, known bool) {
	switch {
	case d.User != nil:
		return *d.User != 0, true
	case d.UserName != "":
		return d.UserName != "root", true
	case d.RunAsNonRoot != nil && *d.RunAsNonRoot:
		return true, true
	}
	return false, false
}

// noNewPrivileges is true where processes cannot gain privileges on exec. A pod's
// container that is privileged always can; docker and podman do as they are told.
func (d Declared) noNewPrivileges() bool {
	told := d.AllowPrivilegeEscalation != nil && !*d.AllowPrivilegeEscalation
	return told && (d.Pod == nil || !is(d.Privileged))
}

// mount adds a mount that can be written to.
func (d *Declared) mount(at string, readOnly bool) {
	if at = path.Clean(at); !readOnly && path.IsAbs(at) && at != "/" {
		d.Writable = append(d.Writable, at)
	}
}

// mountVolume reads a volume as compose files and the engines' flags have it:
// "[source:]destination[:options]" (docker-run(1), podman-run(1)).
func (d *Declared) mountVolume(text string) {
	parts := strings.Split(text, ":")
	if len(parts) == 1 {
		d.mount(text, false)
		return
	}
	readOnly := len(parts) > 2 && slices.Contains(strings.Split(parts[2], ","), "ro")
	d.mount(parts[1], readOnly)
}

// mountTmpfs reads "destination[:options]".
func (d *Declared) mountTmpfs(text string) {
	at, options, _ := strings.Cut(text, ":")
	d.mount(at, slices.Contains(strings.Split(options, ","), "ro"))
}

// mountFields reads the argument of --mount: "type=tmpfs,destination=/run".
func (d *Declared) mountFields(text string) {
	at, readOnly := "", false
	for _, field := range strings.Split(text, ",") {
		switch key, value, _ := strings.Cut(field, "="); key {
		case "destination", "dst", "target":
			at = value
		case "readonly", "ro":
			readOnly = value != "false" && value != "0"
		}
	}
	d.mount(at, readOnly)
}

func is(b *bool) bool { return b != nil && *b }

// dropsAll is true where the container starts from nothing.
func (d Declared) dropsAll() bool {
	for _, n := range d.Drop {
		if strings.EqualFold(n.Text, all) {
			return true
		}
	}
	return false
}
