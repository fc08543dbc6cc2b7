package caps

import (
	"slices"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	admission "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// Levels of the Pod Security Standards, the strictest first.
const (
	Restricted = string(admission.LevelRestricted)
	Baseline   = string(admission.LevelBaseline)
	Privileged = string(admission.LevelPrivileged)
)

// Verdict is what the Pod Security Standards say of a pod.
type Verdict struct {
	Level  string   `json:"level"`            // the strictest level the pod meets
	Blocks []string `json:"blocks,omitempty"` // what keeps it from the next stricter one, sorted
}

// Next is the level that the blocks keep the pod from, "" where there is none.
func (v Verdict) Next() string {
	switch v.Level {
	case Privileged:
		return Baseline
	case Baseline:
		return Restricted
	}
	return ""
}

// Standard holds a whole pod, with its init and ephemeral containers, against
// the newest version of the Pod Security Standards, by the checks of the
// Kubernetes admission controller itself.
func Standard(about meta.ObjectMeta, pod core.PodSpec) (Verdict, error) {
	checks, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return Verdict{}, err
	}
	return standardBy(checks, about, pod), nil
}

func standardBy(checks policy.Evaluator, about meta.ObjectMeta, pod core.PodSpec) Verdict {
	v := Verdict{Level: Restricted}
	for _, level := range []admission.Level{admission.LevelRestricted, admission.LevelBaseline} {
		at := admission.LevelVersion{Level: level, Version: admission.LatestVersion()}
		blocks := forbidden(checks.EvaluatePod(at, &about, &pod))
		if len(blocks) == 0 {
			v.Level = string(level)
			return v
		}
		v.Level, v.Blocks = Privileged, blocks
	}
	return v
}

func forbidden(results []policy.CheckResult) []string {
	var blocks []string
	for _, r := range results {
		switch {
		case r.Allowed:
		case r.ForbiddenDetail == "":
			blocks = append(blocks, r.ForbiddenReason)
		default:
			blocks = append(blocks, r.ForbiddenReason+": "+r.ForbiddenDetail)
		}
	}
	slices.Sort(blocks)
	return blocks
}

// alone is a pod of one container with the list and security context of s.
func alone(s Synthesis) core.PodSpec {
	name := s.Workload.Container
	if name == "" {
		name = s.Workload.Name
	}
	return core.PodSpec{Containers: []core.Container{{Name: name, SecurityContext: s.Context()}}}
}

// Context is the list and the security context of s as Kubernetes has it.
func (s Synthesis) Context() *core.SecurityContext {
	c := &core.SecurityContext{
		AllowPrivilegeEscalation: s.Security.AllowPrivilegeEscalation,
		RunAsNonRoot:             s.Security.RunAsNonRoot,
		RunAsUser:                s.Security.RunAsUser,
		RunAsGroup:               s.Security.RunAsGroup,
		ReadOnlyRootFilesystem:   s.Security.ReadOnlyRootFilesystem,
		Capabilities: &core.Capabilities{
			Add: capabilities(s.Add), Drop: capabilities(s.Drop),
		},
	}
	if s.Security.SeccompType != "" {
		c.SeccompProfile = &core.SeccompProfile{Type: core.SeccompProfileType(s.Security.SeccompType)}
	}
	if path := s.Security.SeccompProfile; path != "" {
		c.SeccompProfile.LocalhostProfile = &path
	}
	return c
}

func capabilities(names []string) []core.Capability {
	var list []core.Capability
	for _, name := range names {
		list = append(list, core.Capability(name))
	}
	return list
}
