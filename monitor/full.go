package monitor

import "advisor/bpf"

// turnedAway names the containers there was no slot for, so that it can be said
// whose facts are missing.
func (r *recording) turnedAway(tasks []bpf.RecorderTask) {
	if r.p.state.losses().Slots == 0 {
		return
	}
	var id, calls uint64
	it := r.p.coll.Maps[bpf.RecorderMapTurnedAway].Iterate()
	for it.Next(&id, &calls) {
		s := r.space(id)
		s.incomplete = true
		if s.subject != nil {
			s.subject.incomplete = true
			r.describe(s.subject)
			continue
		}
		for _, t := range tasks {
			if t.Id == id && s.sight.MountNS == 0 {
				s.sight = sightOf(&t)
				r.identify(s)
			}
		}
	}
	if err := it.Err(); err != nil {
		r.o.Log.Warn("naming the containers there was no room for", "error", err)
	}
}
