package caps

import (
	"fmt"

	"advisor/policies"
	"advisor/policies/manifest"

	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
)

// Parse returns what an object declares for each of its containers, and what
// is wrong with it: a Kubernetes workload of any kind, or a compose file.
// Other objects declare nothing.
func Parse(obj manifest.Object) ([]Declared, []error) { return ParseAmong(obj, nil) }

// ParseAmong is Parse with the other objects that are there, where services may
// extend some of other compose files. What extends one that is not there is what it
// says itself, with an [ErrElsewhere].
func ParseAmong(obj manifest.Object, others []manifest.Object) ([]Declared, []error) {
	if obj.Kind == "" && obj.Lookup("services") != nil {
		return parseCompose(obj, others)
	}
	if obj.Foreign() {
		return nil, nil
	}
	template, path, errs := podTemplate(obj)
	if template == nil {
		return nil, nil
	}
	if err := served(obj); err != nil {
		errs = append([]error{err}, errs...)
	}
	p := podParser{obj: obj, path: path, pod: &Pod{Meta: template.ObjectMeta, Spec: template.Spec}}
	return p.containers(), errs
}

// served fails where no API server that is supported knows the object's version: of
// the kinds here there is one of each.
func served(obj manifest.Object) error {
	_, want := podPath(obj.Kind)
	if obj.Kind == "PodTemplate" {
		want = "v1"
	}
	switch obj.APIVersion {
	case want:
		return nil
	case "":
		return errorAt(obj.Position(), "no apiVersion: %s is in %s", obj.Kind, want)
	}
	return errorAt(obj.Position("apiVersion"), "apiVersion %q is not served, only %s", obj.APIVersion, want)
}

// podTemplate decodes the pod that a workload makes, and the steps to its spec.
func podTemplate(obj manifest.Object) (*core.PodTemplateSpec, []any, []error) {
	below := []any{"spec", "template", "spec"}
	switch obj.Kind {
	case "Pod":
		var o core.Pod
		errs := obj.Decode(&o)
		return &core.PodTemplateSpec{ObjectMeta: o.ObjectMeta, Spec: o.Spec}, []any{"spec"}, errs
	case "PodTemplate":
		var o core.PodTemplate
		errs := obj.Decode(&o)
		return &o.Template, []any{"template", "spec"}, errs
	case "Deployment":
		var o apps.Deployment
		errs := obj.Decode(&o)
		return &o.Spec.Template, below, errs
	case "StatefulSet":
		var o apps.StatefulSet
		errs := obj.Decode(&o)
		return &o.Spec.Template, below, errs
	case "DaemonSet":
		var o apps.DaemonSet
		errs := obj.Decode(&o)
		return &o.Spec.Template, below, errs
	case "ReplicaSet":
		var o apps.ReplicaSet
		errs := obj.Decode(&o)
		return &o.Spec.Template, below, errs
	case "ReplicationController":
		var o core.ReplicationController
		errs := obj.Decode(&o)
		if o.Spec.Template == nil {
			return nil, nil, errs
		}
		return o.Spec.Template, below, errs
	case "Job":
		var o batch.Job
		errs := obj.Decode(&o)
		return &o.Spec.Template, below, errs
	case "CronJob":
		var o batch.CronJob
		errs := obj.Decode(&o)
		return &o.Spec.JobTemplate.Spec.Template, append([]any{"spec", "jobTemplate"}, below...), errs
	}
	return nil, nil, nil
}

// podParser takes the containers out of one pod.
type podParser struct {
	obj  manifest.Object
	path []any // to the pod's spec
	pod  *Pod
}

func (p podParser) containers() []Declared {
	var list []Declared
	spec := p.pod.Spec
	for i, c := range spec.InitContainers {
		role := RoleInit
		if c.RestartPolicy != nil && *c.RestartPolicy == core.ContainerRestartPolicyAlways {
			role = RoleSidecar
		}
		list = append(list, p.container(c, role, "initContainers", i))
	}
	for i, c := range spec.Containers {
		list = append(list, p.container(c, RoleContainer, "containers", i))
	}
	for i, c := range spec.EphemeralContainers {
		list = append(list,
			p.container(core.Container(c.EphemeralContainerCommon), RoleEphemeral, "ephemeralContainers", i))
	}
	return list
}

func (p podParser) container(c core.Container, role, list string, i int) Declared {
	name, sc := policies.OneLine(c.Name), c.SecurityContext
	path := append(p.path[:len(p.path):len(p.path)], list, i)
	d := Declared{
		Workload: policies.Workload{
			Namespace: p.obj.Namespace, Kind: p.obj.Kind, Name: p.obj.Name, Container: name,
		},
		Engine: "kubernetes", Role: role, Position: p.obj.Position(path...), Pod: p.pod,
		UserNamespace: p.pod.Spec.HostUsers != nil && !*p.pod.Spec.HostUsers,
		Windows:       p.pod.Spec.OS != nil && p.pod.Spec.OS.Name == core.Windows,
	}
	for _, m := range c.VolumeMounts {
		d.mount(m.MountPath, m.ReadOnly)
	}
	d.At = p.places(path)
	d.fromPod(p.pod.Spec.SecurityContext)
	if sc != nil {
		d.fromContainer(sc)
		caps := append(path[:len(path):len(path)], "securityContext", "capabilities")
		d.Add = p.names(sc.Capabilities, true, append(caps[:len(caps):len(caps)], "add"))
		d.Drop = p.names(sc.Capabilities, false, append(caps[:len(caps):len(caps)], "drop"))
	}
	return d
}

// places finds the fields of a container's security context; what only the
// pod's says stands there.
func (p podParser) places(path []any) map[string]policies.Position {
	places := make(map[string]policies.Position)
	own := append(path[:len(path):len(path)], "securityContext")
	ofPod := append(p.path[:len(p.path):len(p.path)], "securityContext")
	places["securityContext"] = p.obj.Position(own...)
	for _, field := range []string{
		"capabilities", "privileged", "allowPrivilegeEscalation", "runAsNonRoot", "runAsUser",
		"runAsGroup", "readOnlyRootFilesystem", "seccompProfile",
	} {
		at := append(own[:len(own):len(own)], field)
		if p.obj.Lookup(at...) == nil {
			if above := append(ofPod[:len(ofPod):len(ofPod)], field); p.obj.Lookup(above...) != nil {
				at = above
			}
		}
		places[field] = p.obj.Position(at...)
	}
	return places
}

func (p podParser) names(c *core.Capabilities, add bool, path []any) []Name {
	if c == nil {
		return nil
	}
	list := c.Drop
	if add {
		list = c.Add
	}
	var names []Name
	for i, name := range list {
		at := p.obj.Position(append(path[:len(path):len(path)], i)...)
		names = append(names, Name{Text: string(name), Position: at})
	}
	return names
}

func (d *Declared) fromPod(sc *core.PodSecurityContext) {
	if sc == nil {
		return
	}
	d.RunAsNonRoot, d.User, d.Group = sc.RunAsNonRoot, sc.RunAsUser, sc.RunAsGroup
	d.setSeccomp(sc.SeccompProfile)
}

// fromContainer overrides what the pod says, field by field.
func (d *Declared) fromContainer(sc *core.SecurityContext) {
	d.Privileged, d.AllowPrivilegeEscalation = sc.Privileged, sc.AllowPrivilegeEscalation
	d.ReadOnlyRootFilesystem = sc.ReadOnlyRootFilesystem
	if sc.RunAsNonRoot != nil {
		d.RunAsNonRoot = sc.RunAsNonRoot
	}
	if sc.RunAsUser != nil {
		d.User = sc.RunAsUser
	}
	if sc.RunAsGroup != nil {
		d.Group = sc.RunAsGroup
	}
	d.setSeccomp(sc.SeccompProfile)
}

func (d *Declared) setSeccomp(p *core.SeccompProfile) {
	if p == nil {
		return
	}
	d.SeccompType, d.SeccompProfile = string(p.Type), ""
	if p.LocalhostProfile != nil {
		d.SeccompProfile = *p.LocalhostProfile
	}
}

func errorAt(at policies.Position, format string, args ...any) error {
	return &manifest.Error{Position: at, Err: fmt.Errorf(format, args...)}
}
