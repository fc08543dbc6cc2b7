// Package policies is what the three kinds of policy share: the workload, what
// was observed of it, and the findings of a comparison. Its subpackages
// synthesize, parse, evaluate, prove and compare. All of it is pure: functions
// of what was observed, with no file system, clock or logger.
package policies

import "strings"

// Workload is what a policy is made for. Replicas and restarts of it are one.
type Workload struct {
	Namespace string `json:"namespace,omitempty"` // Kubernetes namespace or compose project
	// Kind is the owner's kind in Kubernetes (Deployment, StatefulSet, …, Pod),
	// else Service (compose), Container (named container), Image or Command.
	Kind      string `json:"kind"`
	Name      string `json:"name"`
	Container string `json:"container,omitempty"` // in a pod of several
}

// Kinds of workload outside Kubernetes.
const (
	KindService   = "Service"   // of a compose project
	KindContainer = "Container" // a container with a name of its own
	KindImage     = "Image"
	KindCommand   = "Command"
)

// String is the workload as people read it: namespace/Kind/name, and
// container=name where there is one.
func (w Workload) String() string {
	s := w.Kind + "/" + w.Name
	if w.Namespace != "" {
		s = w.Namespace + "/" + s
	}
	if w.Container != "" {
		s += " container=" + w.Container
	}
	return s
}

// Compare orders workloads by namespace, kind, name, container.
func (w Workload) Compare(o Workload) int {
	for _, c := range [...]int{
		strings.Compare(w.Namespace, o.Namespace), strings.Compare(w.Kind, o.Kind),
		strings.Compare(w.Name, o.Name), strings.Compare(w.Container, o.Container),
	} {
		if c != 0 {
			return c
		}
	}
	return 0
}
