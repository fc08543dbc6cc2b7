package trace

import (
	"cmp"
	"maps"
	"slices"
)

// joinSegments makes one recording of the segments of each. Where one is not
// here, the result says so: its end is not known to be complete.
func joinSegments(all []*recording) []*recording {
	type key struct {
		node, boot string
		start      int64
	}
	var whole []*recording
	groups := make(map[key][]*recording)
	for _, r := range all {
		if r.header.Segment == 0 {
			whole = append(whole, r)
			continue
		}
		k := key{r.header.Node, r.header.Boot, r.header.Start.UnixNano()}
		groups[k] = append(groups[k], r)
	}
	for _, group := range groups {
		whole = append(whole, joinGroup(group))
	}
	return whole
}

// joinGroup joins segments of one recording. The same one twice counts once.
func joinGroup(group []*recording) *recording {
	slices.SortFunc(group, func(a, b *recording) int {
		return cmp.Or(cmp.Compare(a.header.Segment, b.header.Segment), compareRecordings(a, b))
	})
	group = slices.CompactFunc(group, func(a, b *recording) bool { return a.text() == b.text() })
	first := group[0]
	header := *first.header
	sum := newRecording(&header)
	sum.doubtful = first.header.Segment > 1
	for i, part := range group {
		sum.doubtful = sum.doubtful || part.doubtful ||
			i > 0 && part.header.Segment > group[i-1].header.Segment+1
		sum.takeIn(part)
	}
	sum.end = group[len(group)-1].end
	if !goesOn(sum.end) && !sum.doubtful {
		sum.header.Segment = 0 // all of it is here
	}
	return sum
}

func goesOn(end *End) bool { return end != nil && end.Reason == ReasonSegment }

// takeIn adds the records of a later segment of the same recording. Losses count
// on from the segment before.
func (r *recording) takeIn(part *recording) {
	for _, id := range slices.Sorted(maps.Keys(part.containers)) {
		for _, c := range part.containers[id] {
			r.describe(c)
		}
	}
	for _, rec := range part.facts {
		r.sight(rec)
	}
	for text, rec := range part.once {
		r.once[text] = rec
	}
	for id, counts := range part.counts {
		line := &Counts{Container: id}
		for fact, n := range counts {
			line.Counts = append(line.Counts, Count{Fact: fact, Count: n})
		}
		r.count(line)
	}
	for loss, count := range part.losses {
		r.losses[loss] = max(r.losses[loss], count)
	}
	r.unread += part.unread
}
