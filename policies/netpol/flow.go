package netpol

import (
	"fmt"
	"net/netip"
	"time"

	"advisor/policies"
)

// Flow is traffic that was observed from one workload or address to another,
// over all replicas, after translation by a Service.
type Flow struct {
	Source, Destination Endpoint
	Protocol            string
	Port                int // that the destination sees
	Via                 Via // the Service that was dialled, if one is known
	Class               Class
	Reason              string // why Class is Unresolved
	Evidence            FlowEvidence
	seenBy              [2]map[*Pod]bool // the pods at each end that saw it, by direction
}

// Class tells flows apart that are not plain traffic between pods.
type Class string

// The classes of a flow.
const (
	Plain      Class = ""
	DNS        Class = "dns"
	APIServer  Class = "api-server"
	OnNode     Class = "node"       // with an address of a node
	External   Class = "external"   // with an address outside the cluster
	LinkLocal  Class = "link-local" // such as a cloud's metadata service
	Unresolved Class = "unresolved" // with an address that may be a pod's
)

// Via is the Service through which a flow went.
type Via struct {
	Service *Service
	Port    int
}

// FlowEvidence is who saw a flow, folded over all sightings.
type FlowEvidence struct {
	First      time.Time `json:"first,omitzero"`
	Count      uint64    `json:"count,omitempty"` // where counted
	Ends       []string  `json:"ends"`            // "connect", "accept"
	Containers []string  `json:"containers,omitempty"`
	Comms      []string  `json:"comms,omitempty"`
	Refused    bool      `json:"refused,omitempty"` // never anything but refused by the peer
	// SourceReplicas and DestinationReplicas are how many pods at each end saw
	// it; 0 where that end was not recorded.
	SourceReplicas      int `json:"sourceReplicas,omitempty"`
	DestinationReplicas int `json:"destinationReplicas,omitempty"`
}

// Replicas is how many pods saw the flow at the end that a policy for the
// direction selects.
func (e FlowEvidence) Replicas(d Direction) int {
	if d == Egress {
		return e.SourceReplicas
	}
	return e.DestinationReplicas
}

// String is "shop/Deployment/web -> shop/Deployment/cart TCP 7070".
func (f Flow) String() string {
	return fmt.Sprintf("%s -> %s %s %d", f.Source, f.Destination, f.Protocol, f.Port)
}

// Note is something to know about a workload that no policy says.
type Note struct {
	Workload policies.Workload `json:"workload"`
	Text     string            `json:"text"`
}

// finder turns facts into flows.
type finder struct {
	inv     *Inventory
	accepts map[socket][]answer
	dials   map[socket][]dial
	flows   map[flowKey]*Flow
	drops   map[Note]int
	again   bool // the fact at hand was counted by its first sample
}

// socket is the client's end of a connection.
type socket struct {
	protocol string
	address  netip.Addr
	port     int
}

type answer struct {
	pod   *Pod
	port  int
	local netip.Addr // where it answered
	at    time.Time
}

type dial struct {
	pod *Pod
	at  time.Time
}

// flowKey makes flows of replicas one. Pods without an owner stand for themselves.
type flowKey struct {
	source, destination string
	protocol            string
	port                int
	via                 string
}

// Flows returns what was observed, sorted, and notes of what was left out: the
// traffic that no policy governs.
func Flows(observations []policies.Observation, inv *Inventory) ([]Flow, []Note) {
	f := &finder{inv: inv, accepts: make(map[socket][]answer), dials: make(map[socket][]dial),
		flows: make(map[flowKey]*Flow), drops: make(map[Note]int)}
	for i := range observations {
		f.index(&observations[i])
	}
	for i := range observations {
		o := &observations[i]
		for _, c := range o.Connects {
			for n, one := range connections(c) {
				f.again = n > 0
				f.connect(o, one)
			}
		}
		for _, a := range o.Accepts {
			for n, one := range answers(a) {
				f.again = n > 0
				f.accept(o, one)
			}
		}
	}
	return f.sorted()
}

// index remembers both ends of connections, so that they can be joined.
func (f *finder) index(o *policies.Observation) {
	for _, c := range o.Connects {
		for _, one := range connections(c) {
			if s, ok := clientSocket(one.Protocol, one.Source, one.Local); ok {
				f.dials[s] = append(f.dials[s], dial{f.subject(o, one.Container), one.First.Time})
			}
		}
	}
	for _, a := range o.Accepts {
		for _, one := range answers(a) {
			if s, ok := clientSocket(one.Protocol, one.Remote, one.PeerPort); ok {
				at, _ := parseAddr(one.Address)
				f.accepts[s] = append(f.accepts[s],
					answer{f.subject(o, one.Container), one.Port, at, one.First.Time})
			}
		}
	}
}

func clientSocket(protocol, address string, port int) (socket, bool) {
	ip, ok := parseAddr(address)
	return socket{protocol, ip, port}, ok && port != 0 && !ip.IsLoopback() && !ip.IsUnspecified()
}

// subject is the pod of a fact: that of the container that it names, else any
// of the workload.
func (f *finder) subject(o *policies.Observation, container string) *Pod {
	if p := f.inv.containers[container]; p != nil {
		return p
	}
	for _, c := range o.Containers {
		return f.inv.containers[c.ID]
	}
	return f.inv.Owner(o.Workload).Pods[0]
}

// joinWindow is how far apart both ends of one connection may have been seen:
// their clocks differ, and a queue of accepts may be slow.
const joinWindow = 10 * time.Second

func near(a, b time.Time) bool {
	return a.IsZero() || b.IsZero() || a.Sub(b).Abs() <= joinWindow
}

// answered returns who accepted the connection that came from a socket; false
// where nobody did, or more than one may have.
func (f *finder) answered(s socket, at time.Time) (answer, bool) {
	var found answer
	for _, a := range f.accepts[s] {
		if !near(a.at, at) {
			continue
		}
		if found.pod != nil && (found.pod.Owner != a.pod.Owner || found.port != a.port) {
			return answer{}, false
		}
		found = a
	}
	return found, found.pod != nil
}

// dialled returns who owned the client's end of a connection.
func (f *finder) dialled(s socket, at time.Time) *Pod {
	var found *Pod
	for _, d := range f.dials[s] {
		if !near(d.at, at) {
			continue
		}
		if found != nil && found.Owner != d.pod.Owner {
			return nil
		}
		found = d.pod
	}
	return found
}

// drop counts traffic that is never a rule.
func (f *finder) drop(subject *Pod, reason string) {
	if f.again {
		return
	}
	f.drops[Note{subject.Owner.Workload, reason}]++
}
