package seccomp

import (
	"encoding/json"
	"fmt"

	"sigs.k8s.io/yaml"
)

// The SeccompProfile resource of the Security Profiles Operator.
type (
	object struct {
		APIVersion string     `json:"apiVersion"`
		Kind       string     `json:"kind"`
		Metadata   objectMeta `json:"metadata"`
		Spec       objectSpec `json:"spec"`
	}
	objectMeta struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace,omitempty"`
	}
	objectSpec struct {
		State    string `json:"state,omitempty"`
		BaseName string `json:"baseProfileName,omitempty"`
		document
	}
)

const (
	spoGroup = "security-profiles-operator.x-k8s.io"
	spoKind  = "SeccompProfile"
)

// object is the profile as a SeccompProfile: cluster scoped in v1, in a
// namespace in v1beta1.
func (p Profile) object(f Format) ([]byte, error) {
	o := object{
		APIVersion: spoGroup + "/v1", Kind: spoKind,
		Metadata: objectMeta{Name: p.Name},
		Spec:     objectSpec{BaseName: p.Base, document: p.document(f)},
	}
	if o.Metadata.Name == "" {
		return nil, fmt.Errorf("seccomp profile as %s: it needs a name", f)
	}
	if f == SPOBeta {
		o.APIVersion = spoGroup + "/v1beta1"
		o.Metadata.Namespace = p.Namespace
	}
	if p.Disabled {
		o.Spec.State = "Disabled"
	}
	text, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("seccomp profile as %s: %w", f, err)
	}
	text, err = yaml.JSONToYAML(text)
	if err != nil {
		return nil, fmt.Errorf("seccomp profile as %s: %w", f, err)
	}
	return text, nil
}
