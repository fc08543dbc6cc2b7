package caps

import (
	"fmt"

	"advisor/policies"

	core "k8s.io/api/core/v1"
	admission "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// Standing is where a pod stands in the Pod Security Standards, with all its
// containers, those of init and ephemeral ones too.
type Standing struct {
	Workload policies.Workload `json:"workload"` // without a container
	Today    Verdict           `json:"today"`    // as declared
	Could    Verdict           `json:"could"`    // with what was observed in place of what is declared
	// Unseen are the containers that were not observed, in the pod's order: Could
	// has them as they are declared.
	Unseen   []string          `json:"unseen,omitempty"`
	Position policies.Position `json:"position,omitzero"` // of the first container
}

// Standings says of each pod among declared which level it meets, and which it
// could meet if the containers in syntheses had the security contexts made for
// them. In the order of declared.
func Standings(declared []Declared, syntheses []Synthesis) ([]Standing, error) {
	checks, err := policy.NewEvaluator(policy.DefaultChecks(), nil) // takes longer than many pods
	if err != nil {
		return nil, err
	}
	var list []Standing
	of := make(map[*Pod][]Declared)
	for _, d := range declared {
		of[d.Pod] = append(of[d.Pod], d)
	}
	for _, d := range declared {
		if d.Pod == nil || of[d.Pod] == nil {
			continue
		}
		st := Standing{Workload: d.Workload, Position: d.Position}
		st.Workload.Container = ""
		st.Today = standardBy(checks, d.Pod.Meta, d.Pod.Spec)
		better, unseen := improved(of[d.Pod], d.Pod, syntheses)
		st.Could = standardBy(checks, d.Pod.Meta, better)
		st.Unseen = unseen
		list, of[d.Pod] = append(list, st), nil
	}
	return list, nil
}

// improved is the pod with the security contexts synthesized for the containers
// declared of it, and the names of those that there is none for.
func improved(declared []Declared, pod *Pod, syntheses []Synthesis) (core.PodSpec, []string) {
	spec := *pod.Spec.DeepCopy()
	var unseen []string
	for _, d := range declared {
		found := false
		for _, s := range syntheses {
			if d.For(s.Workload) {
				improve(&spec, d.Workload.Container, s)
				found = true
			}
		}
		if !found {
			unseen = append(unseen, d.Workload.Container)
		}
	}
	return spec, unseen
}

func improve(spec *core.PodSpec, name string, s Synthesis) {
	for _, list := range [][]core.Container{spec.InitContainers, spec.Containers} {
		for i := range list {
			if list[i].Name == name {
				list[i].SecurityContext = merged(list[i].SecurityContext, s.Context())
			}
		}
	}
	for i := range spec.EphemeralContainers {
		c := &spec.EphemeralContainers[i]
		if c.Name == name {
			c.SecurityContext = merged(c.SecurityContext, s.Context())
		}
	}
}

// merged is the declared security context with what s knows better.
func merged(declared, s *core.SecurityContext) *core.SecurityContext {
	if declared == nil {
		return s
	}
	out := declared.DeepCopy()
	out.Capabilities, out.Privileged = s.Capabilities, nil
	if s.ReadOnlyRootFilesystem != nil {
		out.ReadOnlyRootFilesystem = s.ReadOnlyRootFilesystem
	}
	if s.AllowPrivilegeEscalation != nil {
		out.AllowPrivilegeEscalation = s.AllowPrivilegeEscalation
	}
	if s.RunAsNonRoot != nil {
		out.RunAsNonRoot, out.RunAsUser = s.RunAsNonRoot, s.RunAsUser
	}
	if s.SeccompProfile != nil {
		out.SeccompProfile = s.SeccompProfile
	}
	return out
}

// Refusal is what the admission controller would hold against the pod at a
// level and a version ("latest", "v1.30") as a namespace's labels name them;
// empty where it lets the pod in. It fails where there is no such level or
// version.
func Refusal(pod *Pod, level, version string) ([]string, error) {
	if version == "" {
		version = admission.VersionLatest
	}
	l, err := admission.ParseLevel(level)
	if err != nil {
		return nil, fmt.Errorf("pod security level %q: %w", level, err)
	}
	v, err := admission.ParseVersion(version)
	if err != nil {
		return nil, fmt.Errorf("pod security version %q: %w", version, err)
	}
	checks, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return nil, err
	}
	at := admission.LevelVersion{Level: l, Version: v}
	return forbidden(checks.EvaluatePod(at, &pod.Meta, &pod.Spec)), nil
}
