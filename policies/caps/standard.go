package caps

import (
	"slices"
	"strings"

	"advisor/policies"

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
	Level  string   // the strictest level the pod meets
	Blocks []string // what keeps it from the next stricter one, sorted
}

// Standard holds a whole pod, with its init and ephemeral containers, against
// the newest version of the Pod Security Standards, by the checks of the
// Kubernetes admission controller itself.
func Standard(about meta.ObjectMeta, pod core.PodSpec) (Verdict, error) {
	checks, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return Verdict{}, err
	}
	v := Verdict{Level: Restricted}
	for _, level := range []admission.Level{admission.LevelRestricted, admission.LevelBaseline} {
		at := admission.LevelVersion{Level: level, Version: admission.LatestVersion()}
		blocks := forbidden(checks.EvaluatePod(at, &about, &pod))
		if len(blocks) == 0 {
			v.Level = string(level)
			return v, nil
		}
		v.Level, v.Blocks = Privileged, blocks
	}
	return v, nil
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

// levelNote is a verdict on the security context made here, in one line.
func levelNote(v Verdict) string {
	note := "as it stands here the container meets the Pod Security level " + v.Level
	if len(v.Blocks) > 0 {
		note += "; beyond that stands: " + strings.Join(v.Blocks, "; ")
	}
	return note
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

// Standing is where a workload stands in the Pod Security Standards.
type Standing struct {
	Workload policies.Workload // without a container
	Today    Verdict           // as declared
	Could    Verdict           // with what was observed in place of what is declared
	Position policies.Position // of the first container
}

// Standings says of each pod among declared which level it meets, and which it
// could meet if the containers in syntheses had the security contexts made for
// them. In the order of declared.
func Standings(declared []Declared, syntheses []Synthesis) ([]Standing, error) {
	var list []Standing
	seen := make(map[*Pod]bool)
	for _, d := range declared {
		if d.Pod == nil || seen[d.Pod] {
			continue
		}
		seen[d.Pod] = true
		st := Standing{Workload: d.Workload, Position: d.Position}
		st.Workload.Container = ""
		var err error
		if st.Today, err = Standard(d.Pod.Meta, d.Pod.Spec); err != nil {
			return nil, err
		}
		if st.Could, err = Standard(d.Pod.Meta, improved(declared, d.Pod, syntheses)); err != nil {
			return nil, err
		}
		list = append(list, st)
	}
	return list, nil
}

// improved is the pod with the synthesized security contexts.
func improved(declared []Declared, pod *Pod, syntheses []Synthesis) core.PodSpec {
	spec := *pod.Spec.DeepCopy()
	for _, d := range declared {
		for _, s := range syntheses {
			if d.Pod == pod && d.For(s.Workload) {
				improve(&spec, d.Workload.Container, s)
			}
		}
	}
	return spec
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

func capabilities(names []string) []core.Capability {
	var list []core.Capability
	for _, name := range names {
		list = append(list, core.Capability(name))
	}
	return list
}
