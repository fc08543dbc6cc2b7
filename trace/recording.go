package trace

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// recording is what stands between a header and its end, folded.
type recording struct {
	header     *Header
	containers map[string][]*Container // by id; the last is in force, the others are earlier starts
	facts      map[string]Record       // by all but time, process and port: the earliest
	once       map[string]Record       // by all there is: exits, last calls
	counts     map[string]map[string]uint64
	losses     map[Loss]uint64 // by a loss without its count
	end        *End
	unread     uint64 // lines that are not in it
	doubtful   bool   // something in it is not understood
	rendered   string
}

func newRecording(h *Header) *recording {
	return &recording{
		header: h, containers: make(map[string][]*Container), facts: make(map[string]Record),
		once: make(map[string]Record), counts: make(map[string]map[string]uint64),
		losses: make(map[Loss]uint64),
	}
}

func (r *recording) add(rec Record) {
	switch v := rec.(type) {
	case *Container:
		r.describe(v)
	case *Counts:
		r.count(v)
	case *Loss:
		key := *v
		key.Count = 0
		r.losses[key] += v.Count
	case *End:
		r.end = v
	case *Exit, *Last:
		r.once[textOf(rec)] = rec
	default:
		r.sight(rec)
	}
}

// describe keeps the last line of a container, and those before it that say
// another start of it.
func (r *recording) describe(c *Container) {
	earlier := r.containers[c.ID]
	if n := len(earlier); n > 0 && earlier[n-1].Started.Equal(c.Started) {
		earlier = earlier[:n-1]
	}
	r.containers[c.ID] = append(earlier, c)
}

func (r *recording) count(c *Counts) {
	if r.counts[c.Container] == nil {
		r.counts[c.Container] = make(map[string]uint64)
	}
	for _, n := range c.Counts {
		r.counts[c.Container][n.Fact] += n.Count
	}
}

func (r *recording) lose(n uint64, reason string) {
	r.losses[Loss{Probe: "trace", Stage: "read", Reason: reason}] += n
	r.unread += n
}

// sight keeps the earliest sighting of a fact by each command.
func (r *recording) sight(rec Record) {
	key := textOf(sightingOf(rec, varying{pid: number{cut: true}, port: number{cut: true}}))
	if other, ok := r.facts[key]; !ok || compareSighted(rec, other) < 0 {
		r.facts[key] = rec
	}
}

func compareSighted(a, b Record) int {
	x, _ := SightedBy(a)
	y, _ := SightedBy(b)
	return cmp.Or(
		compareStart(x.Time, y.Time),
		cmp.Compare(x.PID, y.PID),
		cmp.Compare(samplePort(a), samplePort(b)),
		strings.Compare(textOf(a), textOf(b)),
	)
}

func samplePort(rec Record) int {
	switch v := rec.(type) {
	case *Connect:
		return v.Local
	case *Accept:
		return v.PeerPort
	}
	return 0
}

// compareStart puts what has no time last.
func compareStart(a, b time.Time) int {
	if a.IsZero() != b.IsZero() {
		return -a.Compare(b)
	}
	return a.Compare(b)
}

// SightedBy is the first sighting of a fact, and false for a record that is none.
func SightedBy(rec Record) (s Sighting, fact bool) {
	switch v := rec.(type) {
	case *Syscall:
		return v.Sighting, true
	case *Capability:
		return v.Sighting, true
	case *Connect:
		return v.Sighting, true
	case *Accept:
		return v.Sighting, true
	case *Listen:
		return v.Sighting, true
	case *Denied:
		return v.Sighting, true
	case *Exec:
		return v.Sighting, true
	case *File:
		return v.Sighting, true
	}
	return Sighting{}, false
}

// textOf is a record as JSON, which cannot fail: records hold nothing that JSON
// has no form for, and times that were read.
func textOf(rec Record) string {
	text, err := json.Marshal(rec)
	if err != nil {
		return fmt.Sprintf("%s: %v", rec.Type(), err)
	}
	return rec.Type() + string(text)
}

// text is the recording as it will be written.
func (r *recording) text() string {
	if r.rendered == "" {
		var out bytes.Buffer
		w := NewWriter(&out)
		if err := r.writeTo(w); err != nil {
			return err.Error()
		}
		_ = w.Flush() // to memory
		r.rendered = out.String()
	}
	return r.rendered
}

func (r *recording) writeTo(w *Writer) error {
	for _, rec := range r.records() {
		if err := w.Write(rec); err != nil {
			return err
		}
	}
	return nil
}

// records are the lines of the recording, in order.
func (r *recording) records() []Record {
	list := []Record{r.header}
	for _, id := range slices.Sorted(maps.Keys(r.containers)) {
		for _, c := range r.containers[id] {
			list = append(list, c)
		}
	}
	list = append(list, slices.SortedFunc(maps.Values(r.facts), compareSighted)...)
	list = append(list, r.countLines()...)
	for _, text := range slices.Sorted(maps.Keys(r.once)) {
		list = append(list, r.once[text])
	}
	list = append(list, r.lossLines()...)
	if r.end != nil {
		list = append(list, r.lastLine())
	}
	return list
}

func (r *recording) countLines() []Record {
	var list []Record
	for _, id := range slices.Sorted(maps.Keys(r.counts)) {
		line := &Counts{Container: id}
		for _, fact := range slices.Sorted(maps.Keys(r.counts[id])) {
			line.Counts = append(line.Counts, Count{Fact: fact, Count: r.counts[id][fact]})
		}
		list = append(list, line)
	}
	return list
}

func (r *recording) lossLines() []Record {
	var list []Record
	for loss, count := range r.losses {
		loss.Count = count
		list = append(list, &loss)
	}
	slices.SortFunc(list, func(a, b Record) int { return strings.Compare(textOf(a), textOf(b)) })
	return list
}

// lastLine is the end, made worse by what could not be read.
func (r *recording) lastLine() *End {
	end := *r.end
	end.Lost += r.unread
	switch {
	case r.unread > 0:
		end.Complete = CompleteFalse
	case r.doubtful && end.Complete == CompleteTrue:
		end.Complete = CompleteUnknown
	}
	return &end
}
