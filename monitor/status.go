package monitor

import (
	"maps"
	"slices"
	"strings"
	"time"

	"advisor/monitor/container"
	"advisor/trace"
)

// maxOthers is how many containers that are not selected are named.
const maxOthers = 10

func (r *recording) report() {
	if r.o.Status != nil {
		r.o.Status(r.status())
	}
}

func (r *recording) status() Status {
	n := r.gone
	for _, c := range r.subjects {
		if c.wanted {
			n++
		}
	}
	records, bytes := r.out.status()
	st := Status{
		Elapsed: time.Since(r.began), Probes: len(r.p.links), Containers: n, Records: records, Bytes: bytes,
		Lost: r.lost, Quiet: r.quiet(), Unseen: r.unmet(),
	}
	if len(st.Unseen) > 0 {
		st.Others = r.others()
	}
	return st
}

// sighted notes when the last new fact was first seen. Other records are none: a
// workload that is counted, or that ends, does nothing new by that. What no event
// told of has no time, and is as new as its record.
func (r *recording) sighted(rec trace.Record) {
	by, fact := trace.SightedBy(rec)
	switch {
	case !fact:
	case by.Time.IsZero():
		r.lastNew = r.clock.now()
	case by.Time.After(r.lastNew):
		r.lastNew = by.Time
	}
}

// quiet is how long nothing new has been seen.
func (r *recording) quiet() time.Duration { return max(0, r.clock.now().Sub(r.lastNew)) }

// meet notes by which names of the selection c went.
func (r *recording) meet(c *subject) {
	for _, name := range r.o.Selection.Names(c.rec) {
		r.met[name] = true
	}
}

// unmet are the names of the selection that nobody went by, as flags.
func (r *recording) unmet() []string {
	for _, c := range r.subjects {
		if c.wanted {
			r.meet(c)
		}
	}
	var names []string
	for _, name := range r.o.Selection.Containers {
		if !r.met[name] {
			names = append(names, "--container="+name)
		}
	}
	for _, name := range r.o.Selection.Pods {
		if !r.met[name] {
			names = append(names, "--pod="+name)
		}
	}
	return names
}

// others are the names of containers that were seen and are not selected, some of
// them where there are many.
func (r *recording) others() []string {
	var names []string
	for _, c := range r.subjects {
		if c.rec.Name != "" && c.rec.Runtime != container.Host && !c.wanted {
			names = append(names, c.rec.Name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return names[:min(len(names), maxOthers)]
}

// lateNames are the containers that ran before recording began, and were not seen
// to start since. One that is over and was forgotten counts too.
func (r *recording) lateNames() []string {
	names := make(map[string]bool)
	for _, name := range r.goneLate {
		names[name] = true
	}
	for _, c := range r.subjects {
		if c.wanted {
			names[c.called()] = c.main.late
		}
	}
	maps.DeleteFunc(names, func(_ string, late bool) bool { return !late })
	return slices.Sorted(maps.Keys(names))
}

// called is what people know c by.
func (c *subject) called() string {
	name := c.rec.Name
	if name == "" {
		name = c.rec.ID[:min(len(c.rec.ID), 12)]
	}
	if pod := c.rec.Pod; pod != nil && pod.Name != "" {
		name = strings.TrimPrefix(pod.Namespace+"/"+pod.Name, "/") + " " + name
	}
	return name
}
