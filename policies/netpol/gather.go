package netpol

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/policies/manifest"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	k8sjson "sigs.k8s.io/json"
)

// Node is a machine of the cluster.
type Node struct {
	Name     string
	IPs      []netip.Addr
	PodCIDRs []netip.Prefix
}

// reference names an object that may own another.
type reference struct{ namespace, kind, name string }

// addObjects reads what objects say. Pods come last: their owners' manifests
// may stand behind them.
func (inv *Inventory) addObjects(objects []manifest.Object) []error {
	var errs []error
	for _, last := range []bool{false, true} {
		for _, o := range objects {
			isLast := slices.Contains([]string{"Pod", "Endpoints", "EndpointSlice"}, o.Kind)
			if isLast != last {
				continue
			}
			if err := inv.addObject(o); err != nil {
				errs = append(errs, &manifest.Error{Position: o.Position(),
					Err: fmt.Errorf("reading %s %s: %w", o.Kind, o.Name, err)})
			}
		}
	}
	return errs
}

func (inv *Inventory) addObject(o manifest.Object) error {
	if isOtherPolicy(o) {
		inv.Others = append(inv.Others, o)
		return nil
	}
	if o.Foreign() && slices.Contains([]string{"Service", "Endpoints", "EndpointSlice", "Namespace", "Node", "Pod"}, o.Kind) {
		return nil // no more than the name is the same
	}
	switch o.Kind {
	case "Namespace":
		return decodeInto(o, inv.addNamespace)
	case "Service":
		return decodeInto(o, func(s *corev1.Service) {
			service := newService(s)
			inv.Services = append(inv.Services, service)
			inv.services[service.String()] = service
		})
	case "EndpointSlice":
		return decodeInto(o, inv.addSlice)
	case "Endpoints":
		return decodeInto(o, inv.addEndpoints)
	case "Node":
		return decodeInto(o, inv.addNode)
	case "Pod":
		return decodeInto(o, func(p *corev1.Pod) {
			p.Name, p.Namespace = o.Name, o.Namespace
			inv.addPod(p, o.Position())
		})
	case "NetworkPolicy", "":
		return nil
	}
	return decodeInto(o, func(w *controller) { inv.addController(o, w) })
}

// isOtherPolicy says that the object is a policy with other semantics than a
// NetworkPolicy's: an admin tier, or an implementation's own.
func isOtherPolicy(o manifest.Object) bool {
	switch group, _, _ := strings.Cut(o.APIVersion, "/"); {
	case group == "policy.networking.k8s.io":
		return true
	case group == "cilium.io", strings.HasSuffix(group, "projectcalico.org"):
		return strings.HasSuffix(o.Kind, "NetworkPolicy")
	}
	return false
}

// decodeInto reads an object as leniently as a client of a newer API server
// must: what it does not know is passed over.
func decodeInto[T any](o manifest.Object, add func(*T)) error {
	var body T
	if err := k8sjson.UnmarshalCaseSensitivePreserveInts(o.JSON(), &body); err != nil {
		return err
	}
	add(&body)
	return nil
}

func (inv *Inventory) addNamespace(n *corev1.Namespace) {
	labels := map[string]string{nameLabel: n.Name}
	for k, v := range n.Labels {
		labels[k] = v
	}
	labels[nameLabel] = n.Name
	inv.namespaces[n.Name] = labels
}

func (inv *Inventory) addNode(n *corev1.Node) {
	node := &Node{Name: n.Name}
	for _, a := range n.Status.Addresses {
		node.IPs = append(node.IPs, parseAddrs(a.Address)...)
	}
	for _, c := range append(n.Spec.PodCIDRs, n.Spec.PodCIDR) {
		if p, err := netip.ParsePrefix(c); err == nil {
			node.PodCIDRs = append(node.PodCIDRs, p.Masked())
		}
	}
	node.IPs = sortedAddrs(node.IPs)
	inv.Nodes = append(inv.Nodes, node)
}

// controller is what the kinds that make pods have in common: Deployment,
// StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Job, CronJob, and
// resources such as Argo's Rollout that are shaped the same.
type controller struct {
	Metadata metav1.ObjectMeta `json:"metadata"`
	Spec     struct {
		Replicas    *int32                  `json:"replicas"`
		Selector    json.RawMessage         `json:"selector"`
		Template    *corev1.PodTemplateSpec `json:"template"`
		JobTemplate *struct {
			Spec struct {
				Template corev1.PodTemplateSpec `json:"template"`
			} `json:"spec"`
		} `json:"jobTemplate"`
	} `json:"spec"`
}

func (inv *Inventory) addController(o manifest.Object, c *controller) {
	namespace := namespaceOf(o.Namespace)
	if parent := metav1.GetControllerOf(&c.Metadata); parent != nil {
		inv.parents[reference{namespace, o.Kind, o.Name}] =
			reference{namespace, parent.Kind, parent.Name}
		return
	}
	template := c.Spec.Template
	if c.Spec.JobTemplate != nil {
		template = &c.Spec.JobTemplate.Spec.Template
	}
	if template == nil {
		return
	}
	owner := inv.owner(policies.Workload{Namespace: namespace, Kind: o.Kind, Name: o.Name})
	owner.Position = o.Position()
	if c.Spec.Replicas != nil {
		owner.Replicas = int(*c.Spec.Replicas)
	}
	if o.Kind != "Job" && o.Kind != "CronJob" {
		owner.Selector = readSelector(c.Spec.Selector)
	}
	owner.Template = newPod(owner, template.ObjectMeta, template.Spec)
	owner.probes = probesOf(template.Spec)
}

// readSelector reads spec.selector: a label selector, or the plain map of a
// ReplicationController.
func readSelector(raw json.RawMessage) *metav1.LabelSelector {
	var selector metav1.LabelSelector
	strict, err := k8sjson.UnmarshalStrict(raw, &selector)
	if len(raw) > 0 && err == nil && len(strict) == 0 {
		return &selector
	}
	var plain map[string]string
	if json.Unmarshal(raw, &plain) == nil && len(plain) > 0 {
		return &metav1.LabelSelector{MatchLabels: plain}
	}
	return nil
}

func newPod(owner *Owner, meta metav1.ObjectMeta, spec corev1.PodSpec) *Pod {
	p := &Pod{
		Namespace: owner.Workload.Namespace, Labels: meta.Labels, Owner: owner,
		HostNetwork: spec.HostNetwork, Node: spec.NodeName, PortsKnown: true,
	}
	for _, c := range append(spec.InitContainers, spec.Containers...) {
		if done(c, spec) {
			continue // its ports were never those of a running pod
		}
		for _, port := range c.Ports {
			p.Ports = append(p.Ports,
				Port{port.Name, protocolOf(port.Protocol), int(port.ContainerPort)})
		}
	}
	return p
}

// done says that a container has ended before the others start: one of init that is
// no sidecar.
func done(c corev1.Container, spec corev1.PodSpec) bool {
	sidecar := c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
	return !sidecar && slices.ContainsFunc(spec.InitContainers, func(i corev1.Container) bool { return i.Name == c.Name })
}

// addPod adds a pod of the cluster, or a manifest of one that is yet to run.
func (inv *Inventory) addPod(body *corev1.Pod, at policies.Position) {
	namespace := namespaceOf(body.Namespace)
	top := reference{namespace, "Pod", body.Name}
	if parent := metav1.GetControllerOf(&body.ObjectMeta); parent != nil && parent.Kind != "Node" {
		top = inv.top(reference{namespace, parent.Kind, parent.Name}, body.Labels)
	}
	owner := inv.owner(policies.Workload{Namespace: namespace, Kind: top.kind, Name: top.name})
	p := newPod(owner, body.ObjectMeta, body.Spec)
	p.Name, p.UID = body.Name, string(body.UID)
	for _, ip := range body.Status.PodIPs {
		p.IPs = append(p.IPs, parseAddrs(ip.IP)...)
	}
	p.IPs = sortedAddrs(append(p.IPs, parseAddrs(body.Status.PodIP)...))
	p.HostIPs = parseAddrs(body.Status.HostIP)
	for _, ip := range body.Status.HostIPs {
		p.HostIPs = sortedAddrs(append(p.HostIPs, parseAddrs(ip.IP)...))
	}
	if body.Status.StartTime != nil {
		p.From = body.Status.StartTime.Time
	}
	if body.Status.Phase == corev1.PodSucceeded || body.Status.Phase == corev1.PodFailed {
		p.IPs = nil // its addresses went back to the pool
	}
	owner.Pods = append(owner.Pods, p)
	if owner.Template == nil {
		owner.probes = probesOf(body.Spec)
	}
	if owner.Position == (policies.Position{}) {
		owner.Position = at
	}
	inv.index(p)
}

// index makes the pod known by its UID and by its name.
func (inv *Inventory) index(p *Pod) {
	if p.UID != "" {
		inv.pods[p.UID] = p
	}
	inv.pods[p.Namespace+"/"+p.Name] = p
}

// top follows a chain of controllers to the one that people deploy. Where the
// objects in between are missing, the hash that a Deployment puts into the name
// of its ReplicaSet says as much, and the time in a CronJob's Job.
func (inv *Inventory) top(r reference, labels map[string]string) reference {
	for range 8 { // a cycle of owners is nonsense, but must not hang
		parent, ok := inv.parents[r]
		if !ok {
			break
		}
		r = parent
	}
	if r.kind == "ReplicaSet" {
		for label, kind := range map[string]string{
			"pod-template-hash": "Deployment", "rollouts-pod-template-hash": "Rollout",
		} {
			if name, ok := strings.CutSuffix(r.name, "-"+labels[label]); ok && labels[label] != "" {
				return reference{r.namespace, kind, name}
			}
		}
	}
	if i := strings.LastIndexByte(r.name, '-'); r.kind == "Job" && i > 0 {
		cron := policies.Workload{Namespace: r.namespace, Kind: "CronJob", Name: r.name[:i]}
		if inv.owners[cron] != nil && strings.Trim(r.name[i+1:], "0123456789") == "" {
			return reference{r.namespace, "CronJob", r.name[:i]}
		}
	}
	return r
}

// probesOf lists the ports that the kubelet connects to: for probes, and for hooks
// when a container starts and stops.
func probesOf(spec corev1.PodSpec) []probe {
	var probes []probe
	add := func(p intstr.IntOrString) {
		probes = append(probes, probe{p.IntValue(), p.StrVal})
	}
	for _, c := range append(spec.InitContainers, spec.Containers...) {
		for _, p := range []*corev1.Probe{c.LivenessProbe, c.ReadinessProbe, c.StartupProbe} {
			switch {
			case p == nil:
			case p.HTTPGet != nil:
				add(p.HTTPGet.Port)
			case p.TCPSocket != nil:
				add(p.TCPSocket.Port)
			case p.GRPC != nil:
				add(intstr.FromInt32(p.GRPC.Port))
			}
		}
		if c.Lifecycle == nil {
			continue
		}
		for _, h := range []*corev1.LifecycleHandler{c.Lifecycle.PostStart, c.Lifecycle.PreStop} {
			if h != nil && h.HTTPGet != nil {
				add(h.HTTPGet.Port)
			}
		}
	}
	return probes
}
