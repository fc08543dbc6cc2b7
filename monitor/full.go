package monitor

import "advisor/bpf"

// turnedAway are the namespaces there was no slot for and that are nobody's yet,
// by their numbers. They are named, so that it can be said whose facts are missing.
// The kernel adds to its count of all first, so that is read first here.
func (r *recording) turnedAway() map[uint64]*space {
	r.counted[lostSlots] = r.p.state.losses().Slots
	if r.counted[lostSlots] == 0 {
		return nil
	}
	nameless := make(map[uint64]*space)
	var id, calls uint64
	it := r.p.coll.Maps[bpf.RecorderMapTurnedAway].Iterate()
	for it.Next(&id, &calls) {
		s := r.space(id)
		s.incomplete = true
		s.losses.now[lostSlots] = max(s.losses.now[lostSlots], calls)
		if s.subject != nil {
			s.subject.incomplete = true
			r.describe(s.subject)
			continue
		}
		nameless[id] = s
	}
	if err := it.Err(); err != nil {
		r.o.Log.Warn("naming the containers there was no room for", "error", err)
	}
	return nameless
}
