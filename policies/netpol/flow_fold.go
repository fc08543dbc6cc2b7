package netpol

import (
	"cmp"
	"fmt"
	"slices"

	"advisor/policies"
	"advisor/trace"
)

// sighting is one end's evidence of a flow.
type sighting struct {
	end       string
	container string
	refused   bool
	policies.Seen
}

// add folds one sighting into its flow.
func (f *finder) add(flow Flow, s sighting) {
	key := flowKey{endpointKey(flow.Source), endpointKey(flow.Destination),
		flow.Protocol, flow.Port, flow.Via.String()}
	have := f.flows[key]
	if have == nil {
		have = &flow
		have.Evidence.Refused = true
		f.flows[key] = have
	}
	have.sawIt(s.end, &flow)
	have.settle(&flow)
	e := &have.Evidence
	if e.First.IsZero() || !s.First.Time.IsZero() && s.First.Time.Before(e.First) {
		e.First = s.First.Time
	}
	e.Count = max(e.Count, s.Count)
	e.Refused = e.Refused && s.refused
	e.Ends = insert(e.Ends, s.end)
	e.Comms = insert(e.Comms, append(s.Comms, s.First.Comm)...)
	e.Containers = insert(e.Containers, s.container)
}

// sawIt notes the pod that a sighting is of.
func (f *Flow) sawIt(end string, o *Flow) {
	d, pod := egressIndex, o.Source.Pod
	if end == "accept" {
		d, pod = ingressIndex, o.Destination.Pod
	}
	if f.seenBy[d] == nil {
		f.seenBy[d] = make(map[*Pod]bool)
	}
	f.seenBy[d][pod] = true
}

// settle makes what sightings of one flow differ in the same in any order: the
// class that says most, and the first of the replicas.
func (f *Flow) settle(o *Flow) {
	classes := []Class{DNS, APIServer, OnNode, LinkLocal, External, Unresolved, Plain}
	c := cmp.Compare(slices.Index(classes, o.Class), slices.Index(classes, f.Class))
	if c < 0 || c == 0 && o.Reason < f.Reason {
		f.Class, f.Reason = o.Class, o.Reason
	}
	f.Source = firstEndpoint(f.Source, o.Source)
	f.Destination = firstEndpoint(f.Destination, o.Destination)
}

func firstEndpoint(a, b Endpoint) Endpoint {
	if a.Pod != nil && b.Pod != nil && comparePods(a.Pod, b.Pod) > 0 ||
		a.Pod == b.Pod && b.IP.Less(a.IP) {
		return b
	}
	return a
}

// insert adds what is new to a sorted list; empty strings are nothing.
func insert(list []string, items ...string) []string {
	for _, item := range items {
		if i, found := slices.BinarySearch(list, item); !found && item != "" {
			list = slices.Insert(list, i, item)
		}
	}
	return list
}

func endpointKey(e Endpoint) string {
	switch {
	case e.Pod == nil:
		return e.IP.String()
	case e.Pod.onHost() && e.IP.IsValid():
		return "pod " + e.Pod.Namespace + "/" + e.Pod.Name + " " + e.IP.String()
	case e.Pod.Owner == nil, e.Pod.onHost():
		return "pod " + e.Pod.Namespace + "/" + e.Pod.Name
	}
	return e.Pod.Owner.Workload.String()
}

// String is "shop/cart:80", or "" without a Service.
func (v Via) String() string {
	if v.Service == nil {
		return ""
	}
	return fmt.Sprintf("%s:%d", v.Service, v.Port)
}

// joinEnds folds what only the server's end saw into the same traffic that its
// client sent through a Service.
func (f *finder) joinEnds() {
	through := make(map[flowKey]*Flow)
	for key, flow := range f.flows {
		if key.via != "" {
			key.via = ""
			if first := through[key]; first == nil || flow.Via.String() < first.Via.String() {
				through[key] = flow
			}
		}
	}
	for key, flow := range f.flows {
		client := through[key]
		if client == nil || !slices.Equal(flow.Evidence.Ends, []string{"accept"}) {
			continue
		}
		e := &client.Evidence
		if e.First.IsZero() || flow.Evidence.First.Before(e.First) {
			e.First = flow.Evidence.First
		}
		e.Count = max(e.Count, flow.Evidence.Count)
		e.Refused = false
		e.Ends = insert(e.Ends, flow.Evidence.Ends...)
		e.Comms = insert(e.Comms, flow.Evidence.Comms...)
		e.Containers = insert(e.Containers, flow.Evidence.Containers...)
		for pod := range flow.seenBy[ingressIndex] {
			client.sawIt("accept", &Flow{Destination: Endpoint{Pod: pod}})
		}
		delete(f.flows, key)
	}
}

func (f *finder) sorted() ([]Flow, []Note) {
	f.joinEnds()
	var flows []Flow
	for _, flow := range f.flows {
		flow.Evidence.SourceReplicas = len(flow.seenBy[egressIndex])
		flow.Evidence.DestinationReplicas = len(flow.seenBy[ingressIndex])
		flows = append(flows, *flow)
	}
	slices.SortFunc(flows, compareFlows)
	var notes []Note
	for note, n := range f.drops {
		notes = append(notes, Note{note.Workload, fmt.Sprintf("%s: %s", note.Text, facts(n))})
	}
	sortNotes(notes)
	return flows, notes
}

func facts(n int) string {
	if n == 1 {
		return "1 fact is no rule"
	}
	return fmt.Sprintf("%d facts are no rules", n)
}

func sortNotes(notes []Note) {
	slices.SortFunc(notes, func(a, b Note) int {
		return cmp.Or(a.Workload.Compare(b.Workload), cmp.Compare(a.Text, b.Text))
	})
}

func compareFlows(a, b Flow) int {
	return cmp.Or(
		cmp.Compare(endpointKey(a.Source), endpointKey(b.Source)),
		cmp.Compare(endpointKey(a.Destination), endpointKey(b.Destination)),
		cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Port, b.Port),
		cmp.Compare(a.Via.String(), b.Via.String()))
}

// isAnswer says that the peer answered an attempt, so that policies in force
// let it through.
func isAnswer(result string) bool {
	switch result {
	case trace.ResultTimeout, trace.ResultPending, trace.ResultUnreachable, trace.ResultFailed:
		return false
	}
	return true
}
