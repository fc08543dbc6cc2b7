package netpol

import (
	"slices"
	"time"

	"advisor/policies"
	"advisor/trace"
)

// addObservation adds the pods of the containers that were recorded.
func (inv *Inventory) addObservation(o *policies.Observation) {
	ends := make(map[string]time.Time)
	for _, e := range o.Exits {
		ends[e.Container] = e.Time
	}
	if len(o.Containers) == 0 {
		inv.outsidePod(o.Workload, &trace.Container{ID: o.Workload.String()})
	}
	for i := range o.Containers {
		c := &o.Containers[i]
		var p *Pod
		if c.Pod != nil {
			p = inv.recordedPod(o.Workload, c)
		} else {
			p = inv.outsidePod(o.Workload, c)
		}
		p.addContainer(c, ends[c.ID])
		inv.containers[c.ID] = p
	}
}

// recordedPod returns the pod of a container in Kubernetes.
func (inv *Inventory) recordedPod(w policies.Workload, c *trace.Container) *Pod {
	namespace := namespaceOf(c.Pod.Namespace)
	named := inv.pods[namespace+"/"+c.Pod.Name]
	for _, p := range []*Pod{inv.pods[c.Pod.UID], named} {
		if p != nil && (p.UID == c.Pod.UID || p.UID == "" || c.Pod.UID == "") {
			return p
		}
	}
	owner := inv.owner(inv.ownerOf(w, c.Pod))
	p := &Pod{
		Namespace: namespace, Name: c.Pod.Name, UID: c.Pod.UID, Owner: owner,
		Labels: c.Pod.Labels, Partial: len(c.Pod.Labels) == 0, HostNetwork: c.Pod.HostNetwork,
	}
	owner.Pods = append(owner.Pods, p)
	inv.index(p)
	return p
}

// ownerOf names the workload of a recorded pod: by the owner in the trace,
// else by the one manifest whose selector matches its labels, else as the
// observation has it.
func (inv *Inventory) ownerOf(w policies.Workload, pod *trace.Pod) policies.Workload {
	namespace := namespaceOf(pod.Namespace)
	w = withoutContainer(w)
	w.Namespace = namespace
	if pod.Owner != nil && pod.Owner.Kind != "Node" {
		top := inv.top(reference{namespace, pod.Owner.Kind, pod.Owner.Name}, pod.Labels)
		w.Kind, w.Name = top.kind, top.name
	}
	if inv.owners[w] != nil || pod.Owner != nil {
		return w
	}
	var found []policies.Workload
	for _, o := range inv.owners {
		if o.Workload.Namespace == namespace && o.Template != nil && o.Selector != nil &&
			matchSelector(o.Selector, labelSet{values: pod.Labels}) == yes {
			found = append(found, o.Workload)
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	return w
}

// outsidePod makes a pod of a container that is in none, so that a draft of a
// policy can be written for it. Its label is an assumption.
func (inv *Inventory) outsidePod(w policies.Workload, c *trace.Container) *Pod {
	w = withoutContainer(w)
	owner := inv.owner(w)
	owner.Outside = true
	p := &Pod{
		Namespace: namespaceOf(labelValue(w.Namespace)), Name: c.ID, UID: c.ID, Owner: owner,
		Labels:     map[string]string{"app": labelValue(w.Name)},
		PortsKnown: true, HostNetwork: c.Runtime == "command" || c.Runtime == "host",
	}
	owner.Pods = append(owner.Pods, p)
	return p
}

// addContainer adds what a container's record says of its pod. The pod has its
// addresses from its first container's start to its last container's end.
func (p *Pod) addContainer(c *trace.Container, end time.Time) {
	p.recorded = true
	first := len(p.IPs) == 0 && p.From.IsZero()
	p.IPs = sortedAddrs(append(p.IPs, parseAddrs(c.IPs...)...))
	switch {
	case first || c.Started.Before(p.From):
		p.From = c.Started
	}
	switch {
	case end.IsZero():
		p.Until = time.Time{}
	case first || !p.Until.IsZero() && p.Until.Before(end):
		p.Until = end
	}
	if c.Resolv != nil {
		p.Nameservers = sortedAddrs(append(p.Nameservers, parseAddrs(c.Resolv.Nameservers...)...))
		p.Search = append(p.Search, c.Resolv.Search...)
		slices.Sort(p.Search)
		p.Search = slices.Compact(p.Search)
	}
}
