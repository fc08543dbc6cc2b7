package netpol

import (
	"net/netip"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Service is a Kubernetes Service.
type Service struct {
	Namespace, Name string
	ClusterIPs      []netip.Addr // none for a headless Service
	// ExternalIPs are where it is reached from outside: externalIPs and those
	// of its load balancer.
	ExternalIPs []netip.Addr
	Selector    map[string]string // nil without one
	Ports       []ServicePort
	// Endpoints are those of its EndpointSlices, or of the older Endpoints.
	Endpoints []ServiceEndpoint
}

// ServicePort is one port of a Service.
type ServicePort struct {
	Name     string
	Protocol string
	Port     int
	Target   intstr.IntOrString
	NodePort int
}

// ServiceEndpoint is one address behind a Service, with the port behind each
// of the Service's ports, by port name.
type ServiceEndpoint struct {
	IP    netip.Addr
	Ports map[string]int
}

// String is "shop/cart".
func (s *Service) String() string { return s.Namespace + "/" + s.Name }

// selector is the Service's as a peer's.
func (s *Service) selector() *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: s.Selector}
}

// selects says that the Service's selector may match the pod. It is false for nil.
func (s *Service) selects(p *Pod) bool {
	return s != nil && len(s.Selector) > 0 && s.Namespace == p.Namespace &&
		matchSelector(s.selector(), p.labels()) != no
}

func (s *Service) port(protocol string, number int) (ServicePort, bool) {
	i := slices.IndexFunc(s.Ports, func(p ServicePort) bool {
		return p.Protocol == protocol && p.Port == number
	})
	if i < 0 {
		return ServicePort{}, false
	}
	return s.Ports[i], true
}

func (s *Service) nodePort(protocol string, number int) (ServicePort, bool) {
	i := slices.IndexFunc(s.Ports, func(p ServicePort) bool {
		return p.Protocol == protocol && p.NodePort == number && number != 0
	})
	if i < 0 {
		return ServicePort{}, false
	}
	return s.Ports[i], true
}

func newService(body *corev1.Service) *Service {
	s := &Service{
		Namespace: namespaceOf(body.Namespace), Name: body.Name, Selector: body.Spec.Selector,
		ClusterIPs:  parseAddrs(append(body.Spec.ClusterIPs, body.Spec.ClusterIP)...),
		ExternalIPs: parseAddrs(append(body.Spec.ExternalIPs, body.Spec.LoadBalancerIP)...),
	}
	for _, in := range body.Status.LoadBalancer.Ingress {
		s.ExternalIPs = append(s.ExternalIPs, parseAddrs(in.IP)...)
	}
	for _, p := range body.Spec.Ports {
		port := ServicePort{Name: p.Name, Protocol: protocolOf(p.Protocol), Port: int(p.Port),
			Target: p.TargetPort, NodePort: int(p.NodePort)}
		if port.Target == (intstr.IntOrString{}) {
			port.Target = intstr.FromInt32(p.Port)
		}
		s.Ports = append(s.Ports, port)
	}
	return s
}

// protocolOf is the protocol with its default.
func protocolOf(p corev1.Protocol) string {
	if p == "" {
		return string(corev1.ProtocolTCP)
	}
	return string(p)
}

// addSlice adds the endpoints of a slice to its Service.
func (inv *Inventory) addSlice(slice *discoveryv1.EndpointSlice) {
	name := slice.Labels[discoveryv1.LabelServiceName]
	s := inv.Service(namespaceOf(slice.Namespace), name)
	if s == nil {
		return
	}
	ports := make(map[string]int)
	for _, p := range slice.Ports {
		if p.Port != nil {
			ports[deref(p.Name)] = int(*p.Port)
		}
	}
	for _, e := range slice.Endpoints {
		for _, ip := range parseAddrs(e.Addresses...) {
			if !s.has(ip, ports) {
				s.Endpoints = append(s.Endpoints, ServiceEndpoint{ip, ports})
			}
		}
	}
	slices.SortStableFunc(s.Endpoints, func(a, b ServiceEndpoint) int { return a.IP.Compare(b.IP) })
}

// endpoints is the kind Endpoints of the core API, from which clusters make
// EndpointSlices and which Go's types call deprecated. It has its Service's name.
type endpoints struct {
	Metadata metav1.ObjectMeta `json:"metadata"`
	Subsets  []struct {
		Addresses []struct {
			IP string `json:"ip"`
		} `json:"addresses"`
		Ports []struct {
			Name string `json:"name"`
			Port int    `json:"port"`
		} `json:"ports"`
	} `json:"subsets"`
}

// addEndpoints adds the endpoints that no slice of the Service has: most stand
// in both.
func (inv *Inventory) addEndpoints(e *endpoints) {
	s := inv.Service(namespaceOf(e.Metadata.Namespace), e.Metadata.Name)
	if s == nil {
		return
	}
	for _, subset := range e.Subsets {
		ports := make(map[string]int)
		for _, p := range subset.Ports {
			ports[p.Name] = p.Port
		}
		for _, a := range subset.Addresses {
			for _, ip := range parseAddrs(a.IP) {
				if !s.has(ip, ports) {
					s.Endpoints = append(s.Endpoints, ServiceEndpoint{ip, ports})
				}
			}
		}
	}
	slices.SortStableFunc(s.Endpoints, func(a, b ServiceEndpoint) int { return a.IP.Compare(b.IP) })
}

// has says that an endpoint is known with all of these ports.
func (s *Service) has(ip netip.Addr, ports map[string]int) bool {
	for name, number := range ports {
		if !slices.ContainsFunc(s.Endpoints, func(e ServiceEndpoint) bool {
			have, ok := e.Ports[name]
			return e.IP == ip && ok && have == number
		}) {
			return false
		}
	}
	return true
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// Service returns the Service of that name, or nil.
func (inv *Inventory) Service(namespace, name string) *Service {
	return inv.services[namespace+"/"+name]
}

// backend is what answers behind a Service's port.
type backend struct {
	endpoint Endpoint
	port     int
}

// backends resolves a port of a Service: by its EndpointSlices, else by its
// selector. The port is each backend's own; backends that lack a named target
// port are left out.
func (inv *Inventory) backends(s *Service, p ServicePort) []backend {
	var found []backend
	for _, e := range s.Endpoints {
		if number, ok := e.Ports[p.Name]; ok {
			found = append(found, backend{inv.endpointAt(e.IP), number})
		}
	}
	if len(found) > 0 || len(s.Selector) == 0 {
		return found
	}
	for _, pod := range inv.selected(s.Namespace, s.selector()) {
		for _, number := range targetPorts(p, pod) {
			found = append(found, backend{pod.endpoint(netip.Addr{}, netip.Addr{}), number})
		}
	}
	if len(found) == 0 && p.Target.Type == intstr.Int {
		found = append(found, backend{Endpoint{Pod: s.assumedPod()}, p.Target.IntValue()})
	}
	return found
}

// assumedPod stands for the pods of a Service that nobody saw.
func (s *Service) assumedPod() *Pod {
	return &Pod{Namespace: s.Namespace, Name: s.Name, Labels: s.Selector, Partial: true, Assumed: true}
}

// selected returns the pods, or templates, that a selector surely matches.
func (inv *Inventory) selected(namespace string, sel *metav1.LabelSelector) []*Pod {
	candidates := inv.sampled[namespace]
	for k, v := range sel.MatchLabels {
		if with := inv.labelled[podLabel{namespace, k, v}]; len(with) < len(candidates) {
			candidates = with
		}
	}
	var pods []*Pod
	for _, p := range candidates {
		if matchSelector(sel, p.labels()) == yes {
			pods = append(pods, p)
		}
	}
	return pods
}

func targetPorts(p ServicePort, pod *Pod) []int {
	if p.Target.Type == intstr.Int {
		return []int{p.Target.IntValue()}
	}
	var numbers []int
	for _, declared := range pod.Ports {
		if declared.Name == p.Target.StrVal && declared.Protocol == p.Protocol {
			numbers = append(numbers, declared.Number)
		}
	}
	return numbers
}

// endpoint is a pod as a peer. One in the host's network has the address that was
// used, of those that its node has, else one of the family that like is of.
func (p *Pod) endpoint(used, like netip.Addr) Endpoint {
	if !p.onHost() {
		return Endpoint{Pod: p}
	}
	if used.IsValid() && !used.IsUnspecified() {
		return Endpoint{Pod: p, IP: used}
	}
	for _, ip := range slices.Concat(p.IPs, p.HostIPs) { // its own is the node's first
		if !like.IsValid() || ip.Is4() == like.Is4() {
			return Endpoint{Pod: p, IP: ip}
		}
	}
	return Endpoint{Pod: p}
}

// onHost says that the pod is in its node's network, where no policy is for it.
func (p *Pod) onHost() bool { return p.HostNetwork && !outside(p) }

// endpointAt is the pod that has an address now, else the address. Pods of one
// workload are as good as one another.
func (inv *Inventory) endpointAt(ip netip.Addr) Endpoint {
	if pod, _ := inv.podAt(ip, time.Time{}); pod != nil {
		return Endpoint{Pod: pod, IP: ip}
	}
	return Endpoint{IP: ip}
}
