package netpol

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Explanation is the verdict on one connection, for each way in which the pods
// of its ends differ.
type Explanation struct {
	Source      string
	Destination string
	Protocol    string
	Port        int
	Cases       []Case
}

// Case is the verdict for one pair of pods.
type Case struct {
	Connection Connection
	Verdict    Verdict
}

// Explain judges the connection from src to dst: each an address, or a
// workload as namespace/name, namespace/Kind/name or name alone (in the
// namespace default). dst may also be a Service as namespace/name; then port is
// the Service's. port is a number with an optional protocol, as in 53/udp.
func Explain(s Set, src, dst, port string, d Dialect) (Explanation, error) {
	protocol, number, err := parsePort(port)
	if err != nil {
		return Explanation{}, err
	}
	sources, err := s.Inventory.find(src)
	if err != nil {
		return Explanation{}, fmt.Errorf("source: %w", err)
	}
	x := Explanation{Source: src, Destination: dst, Protocol: protocol, Port: number}
	targets, err := s.Inventory.findTargets(dst, protocol, number)
	if err != nil {
		return Explanation{}, fmt.Errorf("destination: %w", err)
	}
	x.judge(NewEvaluator(s.Policies, s.Inventory, d), sources, targets)
	return x, nil
}

// judge evaluates all pairs, and keeps one of those with the same verdict.
func (x *Explanation) judge(e *Evaluator, sources []Endpoint, targets []backend) {
	seen := make(map[string]bool)
	for _, source := range sources {
		for _, target := range targets {
			c := Connection{Source: source, Destination: target.endpoint, Protocol: x.Protocol,
				Port: target.port, ServicePort: x.Port}
			v := e.Evaluate(c)
			key := fmt.Sprint(source, target.endpoint, target.port, v)
			if !seen[key] {
				seen[key] = true
				x.Cases = append(x.Cases, Case{c, v})
			}
		}
	}
}

func parsePort(text string) (string, int, error) {
	port, protocol, _ := strings.Cut(text, "/")
	if protocol == "" {
		protocol = "TCP"
	}
	protocol = strings.ToUpper(protocol)
	n, err := strconv.Atoi(port)
	known := protocol == "TCP" || protocol == "UDP" || protocol == "SCTP"
	if err != nil || n < 1 || n > 65535 || !known {
		return "", 0, fmt.Errorf("port %q: expected a number from 1 to 65535, or 53/udp", text)
	}
	return protocol, n, nil
}

// find returns the endpoints that a name stands for.
func (inv *Inventory) find(name string) ([]Endpoint, error) {
	if ip, err := netip.ParseAddr(name); err == nil {
		return []Endpoint{inv.endpointAt(ip.Unmap())}, nil
	}
	var found []Endpoint
	for _, o := range inv.Owners {
		for _, p := range o.sample() {
			if o.isCalled(name) || p.isCalled(name) {
				found = append(found, Endpoint{Pod: p})
			}
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%q is neither an address nor a workload of the manifests", name)
	}
	return found, nil
}

func (o *Owner) isCalled(name string) bool {
	w := o.Workload
	namespace := namespaceOf(w.Namespace)
	return name == namespace+"/"+w.Name || name == namespace+"/"+w.Kind+"/"+w.Name ||
		namespace == "default" && (name == w.Name || name == w.Kind+"/"+w.Name)
}

func (p *Pod) isCalled(name string) bool {
	return p.Name != "" && (name == p.Namespace+"/"+p.Name || name == p.Namespace+"/Pod/"+p.Name)
}

// findTargets also knows Services.
func (inv *Inventory) findTargets(name, protocol string, port int) ([]backend, error) {
	endpoints, err := inv.find(name)
	namespace, service, qualified := strings.Cut(name, "/")
	if !qualified {
		namespace, service = "default", name
	}
	if s := inv.Service(namespace, service); s != nil && err != nil {
		return inv.behind(s, protocol, port)
	}
	var targets []backend
	for _, e := range endpoints {
		targets = append(targets, backend{e, port})
	}
	return targets, err
}

func (inv *Inventory) behind(s *Service, protocol string, port int) ([]backend, error) {
	p, ok := s.port(protocol, port)
	if !ok {
		return nil, fmt.Errorf("Service %s has no port %s %d", s, protocol, port)
	}
	if found := inv.backends(s, p); len(found) > 0 {
		return found, nil
	}
	return nil, fmt.Errorf("Service %s has no endpoint that is known", s)
}

// String is the explanation as text.
func (x Explanation) String() string {
	var b strings.Builder
	for _, c := range x.Cases {
		fmt.Fprintf(&b, "%s -> %s %s %d: %s\n", c.Connection.Source, c.Connection.Destination,
			c.Connection.Protocol, c.Connection.Port, c.Verdict.Outcome)
		writeDecision(&b, "egress", c.Verdict.Egress)
		writeDecision(&b, "ingress", c.Verdict.Ingress)
	}
	return b.String()
}

func writeDecision(b *strings.Builder, direction string, d Decision) {
	fmt.Fprintf(b, "  %-8s %s: %s\n", direction, d.Outcome, d.Reason)
	if rule := d.Rule.String(); rule != "" {
		fmt.Fprintf(b, "           rule: %s\n", rule)
	}
	if len(d.Policies) > 0 {
		fmt.Fprintf(b, "           policies: %s\n", strings.Join(d.Policies, ", "))
	}
	for _, m := range d.Missing {
		fmt.Fprintf(b, "           missing: %s\n", m)
	}
	if d.PodByAddress {
		fmt.Fprint(b, "           an ipBlock matched a pod's address: not every implementation does\n")
	}
}
