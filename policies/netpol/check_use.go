package netpol

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"advisor/policies"
	"advisor/policies/netpol/portset"
	"advisor/trace"

	networkingv1 "k8s.io/api/networking/v1"
)

// use is what the observed flows of its subjects make of a rule.
type use struct {
	*checker
	rule     rule
	subjects []*Owner
	used     bool
	anyPeer  seenPeers     // on the rule as a whole
	anyPort  portset.Set   // the same
	peers    []seenPeers   // by peer of the rule
	ports    []portset.Set // by port of the rule
}

// seenPeers are who was seen at the other end.
type seenPeers struct {
	pods      []*Pod       // one for each workload, in no order
	addresses []netip.Addr // sorted
}

func (s *seenPeers) empty() bool { return len(s.pods)+len(s.addresses) == 0 }

func (s *seenPeers) addPod(p *Pod) {
	key := endpointKey(Endpoint{Pod: p})
	if !slices.ContainsFunc(s.pods, func(have *Pod) bool { return endpointKey(Endpoint{Pod: have}) == key }) {
		s.pods = append(s.pods, p)
	}
}

func (s *seenPeers) addAddress(ip netip.Addr) {
	if i, found := slices.BinarySearchFunc(s.addresses, ip, netip.Addr.Compare); !found {
		s.addresses = slices.Insert(s.addresses, i, ip)
	}
}

// checkUse reports a rule that no observed flow of its subjects used, or the
// peers and ports of it that none did, or that hold more than was seen.
func (c *checker) checkUse(r rule, subjects []*Owner) {
	u := &use{checker: c, rule: r, subjects: subjects,
		peers: make([]seenPeers, len(r.peers)), ports: make([]portset.Set, len(r.ports))}
	for _, o := range subjects {
		for _, f := range c.byOwner[o] {
			u.add(f, o)
		}
	}
	switch {
	case !u.used && r.assumesDNS():
	case !u.used:
		f := u.excess("netpol/unused-rule", nil, ruleWords(r), "allowed, never observed")
		u.remedy(f, change{kind: dropRule}, "")
		if r.isEmpty() {
			u.remedy(r.allowsEverything(), change{kind: dropRule}, "")
		}
	case r.isEmpty():
		peers, why := u.peersFor(u.anyPeer)
		u.remedy(r.allowsEverything(), change{kind: setPeers, peers: peers}, why)
		u.remedy(r.allowsEverything(), change{kind: setPorts, ports: rangedPorts(u.anyPort.Cover(fewParts))}, why)
	default:
		u.checkPeers()
		u.checkPorts()
	}
}

// excess reports a part of the rule, at a path below it.
func (u *use) excess(rule string, path []any, subject, message string, evidence ...string) policies.Finding {
	key := rulesKey(u.rule.direction)
	path = append([]any{"spec", key, u.rule.index}, path...)
	f := u.rule.policy.finding(policies.Excess, strings.TrimPrefix(rule, "netpol/"), path...)
	f.Subject, f.Message, f.Evidence = key+" "+subject, message, evidence
	return u.checker.add(f)
}

func (u *use) checkPeers() {
	if len(u.rule.peers) == 0 {
		u.checkEveryone()
	}
	for i := range u.rule.peers {
		path := []any{peersKey(u.rule.direction), i}
		if !u.peers[i].empty() {
			u.checkWidePeer(i, path)
			continue
		}
		if u.rule.assumesDNS() {
			continue
		}
		f := u.excess("netpol/unused-peer", path, peerWords(u.rule.policy, u.rule.peers[i]),
			"allowed, never observed: the rule's other peers were")
		u.remedy(f, change{kind: setPeer, item: i}, "")
	}
}

func (u *use) checkPorts() {
	if len(u.rule.ports) == 0 {
		u.checkWidePorts(nil, u.rule, u.anyPort, change{kind: setPorts})
	}
	for i := range u.rule.ports {
		one := u.rule
		one.ports = one.ports[i : i+1]
		if !u.ports[i].Empty() {
			u.checkWidePorts([]any{"ports", i}, one, u.ports[i], change{kind: setPort, item: i})
			continue
		}
		if one.assumesDNS() {
			continue
		}
		f := u.excess("netpol/unused-port", []any{"ports", i}, ruleWords(one),
			"allowed, never observed: the rule's other ports were")
		u.remedy(f, change{kind: setPort, item: i}, "")
	}
}

// add marks which peers and ports of the rule a flow of the workload used.
func (u *use) add(f *Flow, o *Owner) {
	r := u.rule
	subject, peer := f.Source, f.Destination
	if r.direction == Ingress {
		subject, peer = peer, subject
	}
	if subject.owner() != o {
		return
	}
	q := &question{Evaluator: u.evaluator, direction: r.direction, subject: subject, peer: peer,
		connection: Connection{Source: f.Source, Destination: f.Destination,
			Protocol: f.Protocol, Port: f.Port}}
	if q.match(r).truth() == no {
		return
	}
	u.used = true
	u.addPeer(q, f)
	u.addPorts(q, f)
}

func (u *use) addPeer(q *question, f *Flow) {
	onHost := q.peer.Pod != nil && q.peer.Pod.onHost()
	if q.peer.Pod == nil || onHost && q.peer.IP.IsValid() {
		u.anyPeer.addAddress(q.peer.IP)
	} else {
		u.anyPeer.addPod(q.peer.Pod)
	}
	for i, p := range u.rule.peers {
		switch {
		case q.matchPeer(u.rule.policy, p) == no:
		case p.IPBlock != nil:
			for _, ip := range allAddresses(q.peer) {
				if !inBlock(p.IPBlock, ip) {
					continue
				}
				u.peers[i].addAddress(ip)
				if q.peer.Pod != nil && !q.peer.Pod.onHost() {
					u.peers[i].addPod(q.peer.Pod)
				}
			}
		default:
			u.peers[i].addPod(q.peer.Pod)
			for _, pod := range u.behind(f) {
				u.peers[i].addPod(pod)
			}
		}
	}
}

// behind are all pods of the Service that a flow went to: who balances it may
// choose any of them.
func (u *use) behind(f *Flow) []*Pod {
	if u.rule.direction == Ingress || f.Via.Service == nil || len(f.Via.Service.Selector) == 0 {
		return nil
	}
	return u.inv.selected(f.Via.Service.Namespace, f.Via.Service.selector())
}

// allAddresses are those of an endpoint and of its replicas.
func allAddresses(e Endpoint) []netip.Addr {
	var all []netip.Addr
	if e.IP.IsValid() {
		all = append(all, e.IP)
	}
	if e.Pod == nil {
		return all
	}
	pods := []*Pod{e.Pod}
	if e.Pod.Owner != nil {
		pods = append(pods, e.Pod.Owner.Pods...)
	}
	for _, p := range pods {
		if p.HostNetwork && !outside(p) {
			all = append(all, p.HostIPs...)
		} else {
			all = append(all, p.IPs...)
		}
	}
	return all
}

func (u *use) addPorts(q *question, f *Flow) {
	for _, port := range u.spoken(f) {
		set := portset.Of(port.protocol, port.number, port.number)
		u.anyPort = u.anyPort.Union(set)
		q.connection.Protocol, q.connection.Port = port.protocol, port.number
		for i, p := range u.rule.ports {
			if t, _ := q.matchPorts([]networkingv1.NetworkPolicyPort{p}); t != no {
				u.ports[i] = u.ports[i].Union(set)
			}
		}
	}
}

type spokenPort struct {
	protocol string
	number   int
}

// spoken are the ports that a flow needs. Who asks a name server over UDP asks
// again over TCP when the answer is too long (RFC 7766). Agents that decide
// before translation want the Service's port, too.
func (u *use) spoken(f *Flow) []spokenPort {
	ports := []spokenPort{{f.Protocol, f.Port}}
	if f.Port == dnsPort || f.Via.Port == dnsPort {
		ports = []spokenPort{{trace.TCP, f.Port}, {trace.UDP, f.Port}}
	}
	before := u.evaluator.dialect.ServicePort || u.rule.policy.assumes("service-port")
	if before && u.rule.direction == Egress && f.Via.Service != nil && f.Via.Port != f.Port {
		ports = append(ports, spokenPort{f.Protocol, f.Via.Port})
	}
	return ports
}

// assumes says that the policy declares an assumption: those who wrote it, or
// advisor, know that nobody observed it.
func (p *Policy) assumes(what string) bool {
	return slices.Contains(strings.Split(p.Annotations[annotationAssumed], ","), what)
}

// assumesDNS says that the rule is the declared assumption that names are asked
// for: of named peers, on the ports of nameservers.
func (r rule) assumesDNS() bool {
	if r.direction != Egress || len(r.peers) == 0 || len(r.ports) == 0 || !r.policy.assumes("dns") {
		return false
	}
	return !slices.ContainsFunc(r.ports, func(p networkingv1.NetworkPolicyPort) bool {
		return p.Port == nil || p.EndPort != nil || !r.policy.answersNames(p.Port.IntValue())
	})
}

// answersNames says that nameservers answer on the port: by custom, or because the
// policy declares it.
func (p *Policy) answersNames(port int) bool {
	return port == dnsPort || port == openshiftDNSPort ||
		slices.Contains(strings.Split(p.Annotations[annotationDNS], ","), strconv.Itoa(port))
}
