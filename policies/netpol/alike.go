package netpol

import "slices"

// withoutAlike leaves out connections of symbolic peers that fare as those do that
// speak for them: the one with fewer labels, or a workload.
func (w *walker) withoutAlike(list []connection) []connection {
	speaks, some := w.speakers()
	if !some {
		return list
	}
	have := make(map[connection]bool)
	for _, c := range list {
		have[c] = true
	}
	speaker := func(i int32) int32 {
		if int(i) < len(speaks) {
			return speaks[i]
		}
		return i
	}
	return slices.DeleteFunc(list, func(c connection) bool {
		plain := connection{speaker(c.source), speaker(c.destination), c.ports}
		return plain != c && have[plain]
	})
}

// speakers is for each entity of pods the one that speaks for it, mostly itself,
// and whether any speaks for another.
func (w *walker) speakers() ([]int32, bool) {
	at := make(map[string]int32)
	for i := range w.first {
		if e := &w.entities[i]; e.labels != "" {
			at[e.labels] = int32(i)
		}
	}
	list, some := make([]int32, w.first), false
	for i := range list {
		e := &w.entities[i]
		list[i] = int32(i)
		switch base, known := at[e.base]; {
		case e.labels == "":
		case e.like >= 0:
			list[i] = int32(e.like)
		case known:
			list[i] = base
		}
		some = some || list[i] != int32(i)
	}
	return list, some
}

// spokenFor says that a workload speaks for a symbolic entity.
func (w *walker) spokenFor(i int32) bool {
	e := &w.entities[i]
	return e.labels != "" && e.like >= 0
}
