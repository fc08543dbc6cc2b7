package policies

import (
	"cmp"
	"slices"
	"strings"

	"advisor/trace"
)

// segment is one recording: what stands between a header and the next. A trace
// that was appended to, rotated or merged has several.
type segment struct {
	source     *source
	index      int // in the source
	header     trace.Header
	containers map[string]*container
	losses     map[lossKey]uint64
	end        *trace.End
	reasons    []string // why it may lack something
	family     *family  // nil where the recording is in one file
}

// recordingKey tells a recording that is in several files from others.
type recordingKey struct {
	node, boot string
	start      int64 // nanoseconds since 1970
}

// family are the files that are here of a recording that has several.
type family struct{ segments []*segment }

// join has the segment know the other files of its recording.
func (s *segment) join(recordings map[recordingKey]*family) {
	if s.header.Segment == 0 {
		return
	}
	key := s.recording()
	if recordings[key] == nil {
		recordings[key] = new(family)
	}
	s.family = recordings[key]
	s.family.segments = append(s.family.segments, s)
}

func (s *segment) recording() recordingKey {
	return recordingKey{s.header.Node, s.header.Boot, s.header.Start.UnixNano()}
}

// trace names what the segment is a part of: its file, or the recording where
// that is in several.
func (s *segment) trace() any {
	if s.family == nil {
		return s.source.name
	}
	return s.recording()
}

// whole are all segments of the recording.
func (s *segment) whole() []*segment {
	if s.family == nil {
		return []*segment{s}
	}
	return s.family.segments
}

// goesOn tells whether the recording goes on in a file that is not here.
func (s *segment) goesOn() bool {
	return s.end != nil && s.end.Reason == trace.ReasonSegment &&
		!slices.ContainsFunc(s.whole(), func(other *segment) bool {
			return other.header.Segment == s.header.Segment+1
		})
}

type lossKey struct {
	probe, stage, reason, container string
	evidenceOnly                    bool
}

// open begins a segment with its header.
func (s *source) open(h *trace.Header) *segment {
	seg := &segment{
		source: s, index: len(s.segments), header: *h,
		containers: make(map[string]*container), losses: make(map[lossKey]uint64),
	}
	s.segments = append(s.segments, seg)
	return seg
}

// last is the segment that records belong to now.
func (s *source) last() *segment {
	if len(s.segments) == 0 {
		return s.open(&trace.Header{})
	}
	return s.segments[len(s.segments)-1]
}

func (s *segment) lose(l *trace.Loss) {
	s.losses[lossKey{l.Probe, l.Stage, l.Reason, l.Container, l.EvidenceOnly}] += l.Count
}

// close keeps the end. A second one, which no reader lets through, only adds.
func (s *segment) close(e *trace.End) {
	if s.end == nil {
		s.end = new(*e)
		return
	}
	s.end.Lost += e.Lost
	s.end.Complete = worse(s.end.Complete, e.Complete)
	s.end.Time = later(s.end.Time, e.Time)
}

// lost are the losses that touch a container: its own, those of no container
// in particular, and what the end counts beyond all of them.
func (s *segment) lost(id string) map[lossKey]uint64 {
	touching := make(map[lossKey]uint64)
	var all uint64
	for key, count := range s.losses {
		if !key.evidenceOnly {
			all += count
		}
		if key.container == id || key.container == "" {
			touching[key] = count
		}
	}
	if s.end != nil && s.end.Lost > all {
		touching[lossKey{stage: "end", reason: "counted at the end of the trace only"}] = s.end.Lost - all
	}
	return touching
}

// complete is what the segment says of one container, given what it lost.
func (s *segment) complete(lost map[lossKey]uint64) trace.Complete {
	for key, count := range lost {
		if count > 0 && !key.evidenceOnly {
			return trace.CompleteFalse
		}
	}
	switch {
	case s.end == nil || len(s.reasons) > 0:
		return trace.CompleteUnknown
	case s.end.Complete == trace.CompleteFalse && s.end.Lost > 0:
		return trace.CompleteTrue // all of it was lost by other containers
	}
	return worse(trace.CompleteTrue, s.end.Complete)
}

// worse is the less complete of two.
func worse(a, b trace.Complete) trace.Complete {
	switch {
	case a == trace.CompleteFalse || b == trace.CompleteFalse:
		return trace.CompleteFalse
	case a == trace.CompleteTrue && b == trace.CompleteTrue:
		return trace.CompleteTrue
	}
	return trace.CompleteUnknown
}

// off are the probes that were not attached, with the reason, as "syscalls: off: …".
func (s *segment) off() []string {
	var list []string
	for _, p := range [...][2]string{
		{"syscalls", s.header.Probes.Syscalls},
		{"capabilities", s.header.Probes.Capabilities},
		{"network", s.header.Probes.Network},
		{"files", s.header.Probes.Files},
	} {
		if p[1] == "off" || strings.HasPrefix(p[1], "off:") {
			list = append(list, p[0]+": "+p[1])
		}
	}
	return list
}

// notes say what is wrong with the segment's trace.
func (s *segment) notes() []string {
	var list []string
	for _, reason := range s.reasons {
		list = append(list, s.source.name+": "+reason)
	}
	return list
}

// compareSegments orders recordings of one node by time, as far as they tell.
func compareSegments(a, b *segment) int {
	return cmp.Or(
		a.header.Start.Compare(b.header.Start),
		cmp.Compare(a.header.Segment, b.header.Segment),
		cmp.Compare(a.index, b.index),
		strings.Compare(a.source.name, b.source.name),
	)
}

func sortedSet(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}
