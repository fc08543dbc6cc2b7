package netpol

import (
	"advisor/policies"
	"advisor/trace"
)

// connections are the samples of a flow that a workload began, each as a flow
// of its own: an address that changed hands stood for someone else each time.
func connections(c policies.Connect) []policies.Connect {
	list := []policies.Connect{c}
	for _, s := range c.Samples[min(1, len(c.Samples)):] {
		one := c
		one.Container, one.Source, one.Local = s.Container, s.Address, s.Port
		one.First = trace.Sighting{Time: s.Time}
		list = append(list, one)
	}
	return list
}

// answers are the samples of a flow that a workload answered.
func answers(a policies.Accept) []policies.Accept {
	list := []policies.Accept{a}
	for _, s := range a.Samples[min(1, len(a.Samples)):] {
		one := a
		one.Container, one.Address, one.PeerPort = s.Container, s.Address, s.Port
		one.First = trace.Sighting{Time: s.Time}
		list = append(list, one)
	}
	return list
}
