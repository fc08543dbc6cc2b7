package policies

import (
	"advisor/trace"
)

// Observer folds the records of any number of traces into observations. The
// order of traces does not matter, nor that of records within a trace, but for
// its headers and for the lines of one container, of which the last counts.
// Memory grows with distinct facts, not with records.
type Observer struct {
	containers map[containerKey]*container
	traces     map[string]*source
	recordings map[recordingKey]*family
}

// containerKey is what tells containers apart: an id is unique on one node,
// from one boot to the next. Where a header says neither, it is unique in its
// trace only.
type containerKey struct {
	node, boot, trace string
	id                string
}

// source is one trace.
type source struct {
	name     string
	segments []*segment
}

// NewObserver is an observer that has seen nothing.
func NewObserver() *Observer {
	return &Observer{
		containers: make(map[containerKey]*container),
		traces:     make(map[string]*source),
		recordings: make(map[recordingKey]*family),
	}
}

// Add takes in one record of a trace. The trace's name tells it from others
// and stands in notes. The record is not kept.
func (o *Observer) Add(name string, rec trace.Record) {
	src := o.source(name)
	if h, ok := rec.(*trace.Header); ok {
		src.open(h).join(o.recordings)
		return
	}
	seg := src.last()
	switch r := rec.(type) {
	case *trace.Container:
		o.container(seg, r.ID).describe(seg, r)
	case *trace.Syscall:
		o.container(seg, r.Container).addSyscall(r)
	case *trace.Capability:
		o.container(seg, r.Container).addCapability(r)
	case *trace.Connect:
		o.container(seg, r.Container).addConnect(seg, r)
	case *trace.Accept:
		o.container(seg, r.Container).addAccept(seg, r)
	case *trace.Listen:
		o.container(seg, r.Container).addListen(r)
	case *trace.Denied:
		o.container(seg, r.Container).addDenied(r)
	case *trace.Exec:
		o.container(seg, r.Container).addExec(r)
	case *trace.File:
		o.container(seg, r.Container).addFile(r)
	default:
		o.addMeta(seg, rec)
	}
}

// addMeta takes in what is no fact of its own.
func (o *Observer) addMeta(seg *segment, rec trace.Record) {
	switch r := rec.(type) {
	case *trace.Counts:
		o.container(seg, r.Container).count(r.Counts)
	case *trace.Exit:
		o.container(seg, r.Container).exit(r)
	case *trace.Loss:
		if r.Container != "" {
			o.container(seg, r.Container)
		}
		seg.lose(r)
	case *trace.End:
		seg.close(r)
	}
}

// Incomplete says that what a trace holds since its last header may lack facts,
// as where it was cut: no observation that rests on it is complete.
func (o *Observer) Incomplete(name, reason string) {
	seg := o.source(name).last()
	seg.reasons = append(seg.reasons, reason)
}

func (o *Observer) source(name string) *source {
	src, ok := o.traces[name]
	if !ok {
		src = &source{name: name}
		o.traces[name] = src
	}
	return src
}

// container is the container of that id in a segment, made if need be.
func (o *Observer) container(seg *segment, id string) *container {
	if c, ok := seg.containers[id]; ok {
		return c
	}
	key := containerKey{node: seg.header.Node, boot: seg.header.Boot, id: id}
	if key.node == "" && key.boot == "" {
		key.trace = seg.source.name
	}
	c, ok := o.containers[key]
	if !ok {
		c = &container{key: key, facts: newFacts(), records: make(map[*segment]*trace.Container)}
		o.containers[key] = c
	}
	seg.containers[id] = c
	c.segments = append(c.segments, seg)
	return c
}
