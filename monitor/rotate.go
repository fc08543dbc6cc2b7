package monitor

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"advisor/trace"
)

// segments is what the next file of a rotated trace has to begin with: the
// header, the containers that are there, their facts so far, and the losses.
type segments struct {
	limit      uint64 // bytes of a file
	preamble   uint64 // bytes that this file began with
	count      int
	header     *trace.Header
	containers map[string]*trace.Container
	facts      map[string][]trace.Record
	losses     map[trace.Loss]uint64 // by a loss without its count
}

func newSegments(limit uint64) *segments {
	return &segments{
		limit: limit, count: 1, containers: make(map[string]*trace.Container),
		facts: make(map[string][]trace.Record), losses: make(map[trace.Loss]uint64),
	}
}

// number puts the segment into a header.
func (s *segments) number(rec trace.Record) trace.Record {
	h, ok := rec.(*trace.Header)
	if !ok {
		return rec
	}
	header := *h
	header.Segment = s.count
	s.header = &header
	return &header
}

// note keeps what is written. Counts are those since the last such line, so they
// are not said again.
func (s *segments) note(rec trace.Record) {
	switch rec := rec.(type) {
	case *trace.Header, *trace.End, *trace.Counts, *trace.Last:
	case *trace.Container:
		s.containers[rec.ID] = rec
	case *trace.Loss:
		key := *rec
		key.Count = 0
		s.losses[key] += rec.Count
	default:
		id := containerOf(rec)
		s.facts[id] = append(s.facts[id], rec)
	}
}

// forget drops a container that nothing will be added to.
func (s *segments) forget(id string) {
	delete(s.containers, id)
	delete(s.facts, id)
}

// due tells whether a file of so many bytes is full. One that began with much
// may grow to twice that, or rotation would never end.
func (s *segments) due(bytes uint64) bool { return bytes >= max(s.limit, 2*s.preamble) }

// begin are the records that the next segment begins with.
func (s *segments) begin() []trace.Record {
	s.count++
	list := []trace.Record{s.header}
	for _, id := range slices.Sorted(maps.Keys(s.containers)) {
		list = append(list, s.containers[id])
		list = append(list, s.facts[id]...)
	}
	return append(list, s.lossRecords()...)
}

func (s *segments) lossRecords() []trace.Record {
	var all []trace.Loss
	for loss, count := range s.losses {
		loss.Count = count
		all = append(all, loss)
	}
	slices.SortFunc(all, func(a, b trace.Loss) int {
		return cmp.Or(strings.Compare(a.Probe, b.Probe), strings.Compare(a.Stage, b.Stage),
			strings.Compare(a.Container, b.Container), strings.Compare(a.Reason, b.Reason))
	})
	list := make([]trace.Record, len(all))
	for i := range all {
		list[i] = &all[i]
	}
	return list
}

// end is the last record of a segment that another follows.
func (s *segments) end(now time.Time) *trace.End {
	end := &trace.End{Time: now, Complete: trace.CompleteTrue, Reason: trace.ReasonSegment}
	for loss, count := range s.losses {
		if !loss.EvidenceOnly {
			end.Lost += count
			end.Complete = trace.CompleteFalse
		}
	}
	return end
}

// rotate ends this file, gives it a name of its own, and goes on in another.
func (o *output) rotate(now time.Time) error {
	if err := o.w.Write(o.segments.end(now)); err != nil {
		return o.fail(err)
	}
	if err := o.w.Close(); err != nil {
		return o.fail(err)
	}
	o.records, o.bytes = o.status()
	o.spool.finish()
	o.earlier = append(o.stillWriting(), o.spool)
	if err := setAside(o.o.Output); err != nil {
		return o.fail(err)
	}
	if err := o.open(os.O_WRONLY | os.O_CREATE | os.O_EXCL); err != nil {
		return o.fail(err)
	}
	for _, rec := range o.segments.begin() {
		if err := o.w.Write(o.segments.number(rec)); err != nil {
			return o.fail(err)
		}
	}
	if err := o.w.Flush(); err != nil {
		return o.fail(err)
	}
	o.segments.preamble, _, _ = o.spool.state()
	return nil
}

// forget drops a container that no segment has to begin with any more.
func (o *output) forget(id string) {
	if o.segments != nil {
		o.segments.forget(id)
	}
}

// stillWriting are the earlier segments that are not on the disk yet, and those
// that failed.
func (o *output) stillWriting() []*spool {
	return slices.DeleteFunc(o.earlier, func(s *spool) bool {
		select {
		case <-s.done:
			return s.err == nil
		default:
			return false
		}
	})
}

// setAside renames a full segment: trace.log becomes trace.0001.log, or has the
// next number that is free.
func setAside(path string) error {
	for n := 1; n < 1e6; n++ {
		err := unix.Renameat2(unix.AT_FDCWD, path, unix.AT_FDCWD, segmentName(path, n), unix.RENAME_NOREPLACE)
		switch {
		case errors.Is(err, unix.EEXIST):
			continue
		case errors.Is(err, unix.EINVAL): // the file system does not know the flag
			if _, err := os.Lstat(segmentName(path, n)); err == nil {
				continue
			}
			err = os.Rename(path, segmentName(path, n))
		}
		if err != nil {
			return fmt.Errorf("setting a segment aside: %w", err)
		}
		return nil
	}
	return fmt.Errorf("setting %s aside: all its segments' names are taken", path)
}

// segmentName puts a number before the suffixes of path, so that names sort by
// time and one pattern matches them all.
func segmentName(path string, n int) string {
	compressed := ""
	if base, ok := strings.CutSuffix(path, ".zst"); ok {
		path, compressed = base, ".zst"
	}
	suffix := filepath.Ext(path)
	return fmt.Sprintf("%s.%04d%s%s", strings.TrimSuffix(path, suffix), n, suffix, compressed)
}

// containerOf is the container that a record is about, "" for those of none.
func containerOf(rec trace.Record) string {
	switch rec := rec.(type) {
	case *trace.Container:
		return rec.ID
	case *trace.Syscall:
		return rec.Container
	case *trace.Capability:
		return rec.Container
	case *trace.Connect:
		return rec.Container
	case *trace.Accept:
		return rec.Container
	case *trace.Listen:
		return rec.Container
	case *trace.Denied:
		return rec.Container
	case *trace.Exec:
		return rec.Container
	case *trace.File:
		return rec.Container
	case *trace.Last:
		return rec.Container
	case *trace.Exit:
		return rec.Container
	case *trace.Counts:
		return rec.Container
	}
	return ""
}
