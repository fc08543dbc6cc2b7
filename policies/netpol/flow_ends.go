package netpol

import (
	"net/netip"
	"slices"
	"time"

	"advisor/policies"
	"advisor/trace"
)

// target is one place where a connect may have ended up.
type target struct {
	endpoint Endpoint
	port     int
	via      Via
	class    Class
	reason   string
}

// connect adds the flows of one observed connect: one for each kind of backend
// that may have answered.
func (f *finder) connect(o *policies.Observation, c policies.Connect) {
	subject := f.subject(o, c.Container)
	dialled, port := c.Requested, c.RequestedPort
	if dialled == "" {
		dialled, port = c.Remote, c.Port
	}
	ip, ok := parseAddr(dialled)
	if reason := connectDrop(subject, c, ip, ok); reason != "" {
		f.drop(subject, reason)
		return
	}
	if port == 0 {
		port = c.Port
	}
	s := sighting{"connect", o.Workload.Container, c.Result == trace.ResultRefused, c.Seen}
	source, _ := parseAddr(c.Source)
	for _, t := range f.targets(subject, c, ip, port) {
		if t.endpoint.Pod == subject && !t.toReplica(subject) {
			f.drop(subject, "traffic with itself, which no policy governs")
			continue
		}
		f.add(Flow{Source: subject.endpoint(source, ip), Destination: t.endpoint, Protocol: c.Protocol,
			Port: t.port, Via: t.via, Class: t.class, Reason: t.reason}, s)
	}
}

// toReplica turns the target into another pod of the subject's workload where it
// dialled the Service that balances between them: it may have been any.
func (t *target) toReplica(subject *Pod) bool {
	o := subject.Owner
	if t.via.Service == nil || o.hostNetwork() {
		return false
	}
	for _, p := range o.Pods {
		if p != subject {
			t.endpoint = Endpoint{Pod: p}
			return true
		}
	}
	many := o.Replicas > 1 || o.Workload.Kind == "DaemonSet"
	if many && o.Template != nil {
		t.endpoint = Endpoint{Pod: o.Template}
	}
	return many && o.Template != nil
}

func connectDrop(subject *Pod, c policies.Connect, ip netip.Addr, ok bool) string {
	if !ok {
		return "an address that cannot be read"
	}
	if reason := dropReason(subject, ip); reason != "" {
		return reason
	}
	if !isAnswer(c.Result) {
		return "an attempt that nobody answered"
	}
	return ""
}

// targets finds where a connect to ip ended up, best evidence first.
func (f *finder) targets(subject *Pod, c policies.Connect, ip netip.Addr, port int) []target {
	service, servicePort := f.inv.serviceAt(ip, c.Protocol, port)
	if api := f.inv.apiServer(ip, port); api != nil {
		return api
	}
	if service != nil {
		if found := f.inv.serviceTargets(service, servicePort); len(found) > 0 {
			found = f.withAnswer(found, f.single(subject, c, ip, port), Via{service, servicePort.Port})
			return f.inv.withCache(found, ip, port)
		}
	}
	t := f.single(subject, c, ip, port)
	if service != nil {
		t.via = Via{service, port}
		if t.endpoint.Pod == nil {
			t.class, t.reason = Unresolved, "Service "+service.String()+" has no known endpoint"
		}
	}
	if f.inv.isDNS(t, port) {
		return f.inv.withCache([]target{f.nameserver(subject, t)}, ip, port)
	}
	return []target{t}
}

// withAnswer adds who really answered to the backends that manifests name: they
// may be older than the recording.
func (f *finder) withAnswer(found []target, t target, via Via) []target {
	if t.endpoint.Pod == nil || slices.ContainsFunc(found, func(have target) bool {
		return have.port == t.port && endpointKey(have.endpoint) == endpointKey(t.endpoint)
	}) {
		return found
	}
	t.via, t.class, t.reason = via, Plain, ""
	if isDNSPod(t.endpoint.Pod) && via.Port == dnsPort {
		t.class = DNS
	}
	return append(found, t)
}

// single finds the one endpoint of a connect: the one that accepted it, the
// one that the kernel translated it to, or the one that has the address.
func (f *finder) single(subject *Pod, c policies.Connect, ip netip.Addr, port int) target {
	if s, ok := clientSocket(c.Protocol, c.Source, c.Local); ok {
		if a, ok := f.answered(s, c.First.Time); ok {
			e := a.pod.endpoint(a.local, ip)
			return target{endpoint: e, port: a.port, class: classOf(e)}
		}
	}
	for _, end := range []struct {
		text string
		port int
	}{{c.Translated, c.TranslatedPort}, {c.Remote, c.Port}} {
		if other, ok := parseAddr(end.text); ok && end.port != 0 {
			ip, port = other, end.port
			break
		}
	}
	return f.inv.at(subject, ip, port, c.First.Time)
}

// at says what an address is.
func (inv *Inventory) at(subject *Pod, ip netip.Addr, port int, when time.Time) target {
	t := target{endpoint: Endpoint{IP: ip}, port: port}
	pod, reason := inv.podAt(ip, when)
	switch {
	case pod != nil:
		t.endpoint.Pod = pod
	case reason != "":
		t.class, t.reason = Unresolved, reason
	case inv.nodeAt(ip) != nil:
		t.class = OnNode
	case ip.IsLinkLocalUnicast():
		t.class = LinkLocal
	default:
		t.class = External
		if t.reason = inv.unknownReason(subject, ip); t.reason != "" {
			t.class = Unresolved
		}
	}
	return t
}

// serviceTargets returns the backends of a Service's port, one for each
// workload, or address, and port.
func (inv *Inventory) serviceTargets(s *Service, p ServicePort) []target {
	var found []target
	seen := make(map[string]bool)
	for _, b := range inv.backends(s, p) {
		t := target{endpoint: b.endpoint, port: b.port, via: Via{s, p.Port}}
		switch {
		case p.Port == dnsPort && b.endpoint.Pod != nil && isDNSPod(b.endpoint.Pod):
			t.class = DNS
		case b.endpoint.Pod != nil:
			t.class = classOf(b.endpoint)
		case len(inv.addresses[b.endpoint.IP]) > 0:
			_, t.reason = inv.podAt(b.endpoint.IP, time.Time{})
			t.class = Unresolved
		case inv.nodeAt(b.endpoint.IP) != nil:
			t.class = OnNode
		default:
			t.class = External
		}
		key := Flow{Destination: t.endpoint, Port: t.port}.String()
		if b.endpoint.Pod != nil && b.endpoint.Pod.Owner != nil {
			key = Flow{Destination: Endpoint{Pod: b.endpoint.Pod}, Port: t.port}.String()
		}
		if !seen[key] {
			seen[key] = true
			found = append(found, t)
		}
	}
	return found
}

// accept adds the flow of one observed accept.
func (f *finder) accept(o *policies.Observation, a policies.Accept) {
	subject := f.subject(o, a.Container)
	ip, ok := parseAddr(a.Remote)
	if !ok {
		f.drop(subject, "an address that cannot be read")
		return
	}
	if reason := dropReason(subject, ip); reason != "" || a.Address == a.Remote {
		f.drop(subject, orItself(reason))
		return
	}
	source := f.source(subject, a, ip)
	if source.endpoint.Pod == subject {
		f.drop(subject, orItself(""))
		return
	}
	if source.class == OnNode && f.inv.ownNode(subject, ip) && subject.probes(a.Port) {
		f.drop(subject, "kubelet probes, always allowed from the pod's own node")
		return
	}
	local, _ := parseAddr(a.Address)
	f.add(Flow{Source: source.endpoint, Destination: subject.endpoint(local, ip), Protocol: a.Protocol,
		Port: a.Port, Class: source.class, Reason: source.reason},
		sighting{end: "accept", container: o.Workload.Container, Seen: a.Seen})
}

func orItself(reason string) string {
	if reason == "" {
		return "traffic with itself, which no policy governs"
	}
	return reason
}

// source finds who an accepted connection came from.
func (f *finder) source(subject *Pod, a policies.Accept, ip netip.Addr) target {
	if s, ok := clientSocket(a.Protocol, a.Remote, a.PeerPort); ok {
		if pod := f.dialled(s, a.First.Time); pod != nil {
			e := pod.endpoint(ip, ip)
			return target{endpoint: e, class: classOf(e)}
		}
	}
	t := f.inv.at(subject, ip, 0, a.First.Time)
	if t.endpoint.Pod == nil && f.inv.ownNode(subject, ip) {
		t.class, t.reason = OnNode, ""
	}
	return t
}

func classOf(e Endpoint) Class {
	if e.Pod == nil || e.Pod.onHost() {
		return OnNode
	}
	return Plain
}

// apiServer returns every address of the API server when ip is one of them.
// Whether a policy is applied before or after translation is left open by the
// API, so all of them are needed.
func (inv *Inventory) apiServer(ip netip.Addr, port int) []target {
	s := inv.Service("default", "kubernetes")
	if s == nil {
		return nil
	}
	var all []target
	for _, p := range s.Ports {
		for _, ip := range s.ClusterIPs {
			all = append(all, target{Endpoint{IP: ip}, p.Port, Via{s, p.Port}, APIServer, ""})
		}
		for _, e := range s.Endpoints {
			if n, ok := e.Ports[p.Name]; ok {
				all = append(all, target{Endpoint{IP: e.IP}, n, Via{s, p.Port}, APIServer, ""})
			}
		}
	}
	if slices.ContainsFunc(all, func(t target) bool { return t.endpoint.IP == ip && t.port == port }) {
		return all
	}
	return nil
}
