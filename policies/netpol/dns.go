package netpol

import (
	"net/netip"
	"slices"
)

// dnsPort is where nameservers listen; OpenShift's pods do on openshiftDNSPort,
// behind a Service on 53.
const (
	dnsPort          = 53
	openshiftDNSPort = 5353
)

// openshiftNameserver is the cluster nameserver of an OpenShift installation
// with the default service network, 172.30.0.0/16.
var openshiftNameserver = netip.AddrFrom4([4]byte{172, 30, 0, 10})

// isDNS says whether a connect asked for names: on their port or, of a pod that
// answers on another, the one behind it. A nameserver has ports for other things.
func (inv *Inventory) isDNS(t target, dialled int) bool {
	if dialled == dnsPort {
		return true
	}
	pod := t.endpoint.Pod
	if pod == nil || !isDNSPod(pod) {
		return false
	}
	return t.port == dnsPort || t.port == dnsPortOf(pod) || slices.ContainsFunc(inv.Services, func(s *Service) bool {
		return s.selects(pod) && slices.ContainsFunc(s.Ports, func(p ServicePort) bool {
			return p.Port == dnsPort && slices.Contains(targetPorts(p, pod), t.port)
		})
	})
}

// isDNSPod recognises the cluster's nameserver by the labels that Kubernetes
// and OpenShift give it.
func isDNSPod(p *Pod) bool {
	return p.Labels["k8s-app"] == "kube-dns" ||
		p.Labels["dns.operator.openshift.io/daemonset-dns"] != ""
}

// nameserver says where a connect for names ended up. An address that the
// container's own resolv.conf names, in a cluster, is the cluster's nameserver.
func (f *finder) nameserver(subject *Pod, t target) target {
	t.class = DNS
	ip := t.endpoint.IP
	if t.endpoint.Pod != nil || !slices.Contains(subject.Nameservers, ip) {
		return t
	}
	t.reason = ""
	if subject.inCluster() && !ip.IsLinkLocalUnicast() {
		t.endpoint, t.port = f.inv.clusterDNS(ip)
	}
	return t
}

// clusterDNS returns the cluster's nameserver: its pods where they are known,
// else one that carries the labels it ought to have.
func (inv *Inventory) clusterDNS(nameserver netip.Addr) (Endpoint, int) {
	for _, protocol := range []string{"UDP", "TCP"} {
		if s, p := inv.serviceAt(nameserver, protocol, dnsPort); s != nil {
			for _, b := range inv.backends(s, p) {
				return b.endpoint, b.port
			}
		}
	}
	if p := inv.dnsPod; p != nil {
		return Endpoint{Pod: p}, dnsPortOf(p)
	}
	p := &Pod{Namespace: "kube-system", Name: "kube-dns", Partial: true, Assumed: true,
		Labels: map[string]string{"k8s-app": "kube-dns"}}
	if nameserver == openshiftNameserver {
		p.Namespace, p.Name = "openshift-dns", "dns-default"
		p.Labels = map[string]string{"dns.operator.openshift.io/daemonset-dns": "default"}
	}
	return Endpoint{Pod: p}, dnsPortOf(p)
}

func dnsPortOf(p *Pod) int {
	if p.Labels["dns.operator.openshift.io/daemonset-dns"] != "" {
		return openshiftDNSPort
	}
	return dnsPort
}

// withCache adds the dialled address itself to the cluster's nameserver where a
// cache on each node listens on the nameserver's ClusterIP: there nothing
// translates it. Source: the NodeLocal DNSCache page of the Kubernetes
// documentation, for kube-proxy in iptables mode.
func (inv *Inventory) withCache(targets []target, ip netip.Addr, port int) []target {
	if targets[0].class != DNS || targets[0].endpoint.Pod == nil || !inv.nodeCache {
		return targets
	}
	return append(targets, target{endpoint: Endpoint{IP: ip}, port: port, class: DNS})
}
