package policies

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"advisor/trace"
)

// container is one container in all segments that speak of it.
type container struct {
	key      containerKey
	shown    string // its id in observations
	segments []*segment
	records  map[*segment]*trace.Container // the last of each segment
	counts   map[string]uint64             // by [trace.Count.Fact]
	exits    []trace.Exit
	started  map[int64]bool // when, in nanoseconds since 1970: once for each start
	facts
}

// describe keeps what a segment says of the container: its last word.
func (c *container) describe(seg *segment, r *trace.Container) {
	c.records[seg] = new(*r)
	if r.Started.IsZero() {
		return
	}
	if c.started == nil {
		c.started = make(map[int64]bool)
	}
	c.started[r.Started.UnixNano()] = true
}

func (c *container) count(counts []trace.Count) {
	if c.counts == nil {
		c.counts = make(map[string]uint64)
	}
	for _, n := range counts {
		c.counts[n.Fact] += n.Count
	}
}

// exit keeps an end of the container, once: a later segment may repeat it.
func (c *container) exit(r *trace.Exit) {
	at, ok := slices.BinarySearchFunc(c.exits, *r, compareExits)
	if !ok {
		c.exits = slices.Insert(c.exits, at, *r)
	}
}

func compareExits(a, b trace.Exit) int {
	return cmp.Or(
		strings.Compare(a.Container, b.Container),
		compareTimes(a.Time, b.Time),
		cmp.Compare(exitCode(a), exitCode(b)),
	)
}

func exitCode(e trace.Exit) int {
	if e.Code == nil {
		return -1
	}
	return *e.Code
}

// record is the latest description, and whether there is any. Between
// recordings that began at the same time, the text decides, so that neither the
// order nor the names of traces do.
func (c *container) record() (trace.Container, bool) {
	var latest *trace.Container
	var at trace.Header
	for seg, r := range c.records {
		later := cmp.Or(seg.header.Start.Compare(at.Start), cmp.Compare(seg.header.Segment, at.Segment))
		if latest == nil || later > 0 || later == 0 && textOf(r) > textOf(latest) {
			latest, at = r, seg.header
		}
	}
	if latest == nil {
		return trace.Container{ID: c.key.id}, false
	}
	return *latest, true
}

// recordings are the segments that speak of the container, and those of the same
// recordings that do not: what these lost may be the container's.
func (c *container) recordings() []*segment {
	var all []*segment
	for _, seg := range c.segments {
		for _, part := range seg.whole() {
			if !slices.Contains(all, part) {
				all = append(all, part)
			}
		}
	}
	return all
}

// cut is the last segment that tells of the container, where that says that the
// recording goes on in a file that is not here; nil where all is here. Who has
// ended has nothing in later files.
func (c *container) cut() *segment {
	if len(c.exits) > 0 || len(c.segments) == 0 {
		return nil
	}
	last := slices.MaxFunc(c.segments, compareSegments)
	if !last.goesOn() {
		return nil
	}
	return last
}

func textOf(c *trace.Container) string {
	text, err := json.Marshal(c)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// late says that no recording saw the container's start.
func (c *container) late() bool {
	for _, r := range c.records {
		if !r.Existed && !slices.Contains(r.Flags, trace.FlagLate) {
			return false
		}
	}
	return len(c.records) > 0
}

// flagged says that some recording marked the container so.
func (c *container) flagged(flag string) bool {
	for _, r := range c.records {
		if slices.Contains(r.Flags, flag) {
			return true
		}
	}
	return false
}

// lost says that facts of the container itself were lost.
func (c *container) lost() bool {
	for _, seg := range c.segments {
		for key, count := range seg.losses {
			if key.container == c.key.id && count > 0 && !key.evidenceOnly {
				return true
			}
		}
	}
	return false
}

func compareContainers(a, b *container) int {
	return cmp.Or(
		strings.Compare(a.key.id, b.key.id),
		strings.Compare(a.key.node, b.key.node),
		strings.Compare(a.key.boot, b.key.boot),
		strings.Compare(a.key.trace, b.key.trace),
	)
}
