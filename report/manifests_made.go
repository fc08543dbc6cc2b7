package report

import (
	"encoding/json"
	"strings"

	"advisor/policies"
	"advisor/policies/manifest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// makers are the objects that others may have been made by.
type makers map[policies.Workload]bool

func makersIn(objects []manifest.Object) makers {
	all := make(makers)
	for _, o := range objects {
		all[policies.Workload{Namespace: o.Namespace, Kind: o.Kind, Name: o.Name}] = true
	}
	return all
}

// made says that an object, as kubectl get lists it, was made by another one that
// is here: it declares nothing that that one does not.
func (m makers) made(o manifest.Object) bool {
	switch o.Kind {
	case "Pod", "ReplicaSet", "Job":
	default:
		return false
	}
	var body struct {
		Metadata metav1.ObjectMeta `json:"metadata"`
	}
	if json.Unmarshal(o.JSON(), &body) != nil {
		return false
	}
	by := metav1.GetControllerOf(&body.Metadata)
	if by == nil {
		return false
	}
	if m[policies.Workload{Namespace: o.Namespace, Kind: by.Kind, Name: by.Name}] {
		return true
	}
	// A Deployment's ReplicaSet is called after it and the hash of its template.
	name, ok := strings.CutSuffix(by.Name, "-"+body.Metadata.Labels["pod-template-hash"])
	return ok && by.Kind == "ReplicaSet" && m[policies.Workload{Namespace: o.Namespace, Kind: "Deployment", Name: name}]
}
