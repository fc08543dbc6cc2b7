package caps

import (
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
	SeccompType              string // RuntimeDefault, Localhost, Unconfined or empty
	SeccompProfile           string
	UserNamespace            bool // one of its own
	Windows                  bool // to which none of this applies

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

// noNewPrivileges is true where processes cannot gain privileges on exec.
func (d Declared) noNewPrivileges() bool {
	return !is(d.Privileged) && d.AllowPrivilegeEscalation != nil && !*d.AllowPrivilegeEscalation
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
