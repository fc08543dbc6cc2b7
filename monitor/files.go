package monitor

import (
	"bytes"
	"path"
	"time"

	"advisor/bpf"
	"advisor/trace"
)

// naming is a fact known by a name of which it is not clear yet where it leads.
type naming struct {
	key   bpf.RecorderFileKey
	val   bpf.RecorderFileVal
	since time.Time
}

// readFiles takes facts about files. Those whose place is known come first: a
// directory that was seen as it is needs no looking up when it is named.
func (r *recording) readFiles(last bool) error {
	var key bpf.RecorderFileKey
	var val bpf.RecorderFileVal
	var names []naming
	it := r.p.coll.Maps[bpf.RecorderMapFiles].Iterate()
	for it.Next(&key, &val) {
		if !r.facts.of(key.Id).files.add(idOf(r.facts.ids, key)) {
			continue
		}
		switch {
		case key.Access == accessExec:
			r.program(&key, &val)
		case val.Flags&fileCalled != 0:
			names = append(names, naming{key, val, time.Now()})
		default:
			r.opened(&key, &val)
		}
	}
	r.facts.named = append(r.facts.named, names...)
	r.lookUp(last)
	return wrap(it.Err(), "reading facts about files")
}

// freshFiles takes facts about files while it can still be asked where names
// lead: the next snapshot may be too late.
func (r *recording) freshFiles() error {
	if n := r.p.state.number(bpf.RecorderVarOpened); r.o.Files && n != r.facts.opened {
		r.facts.opened = n
		return r.readFiles(false)
	}
	return nil
}

// lookUp finds out where names lead, while there is somebody to ask.
func (r *recording) lookUp(last bool) {
	waiting := r.facts.named
	r.facts.named = nil
	for _, n := range waiting {
		s := r.space(n.key.Id)
		rec := r.named(s, &n.key, &n.val)
		hopeless := last || s.ended != 0 || time.Since(n.since) > settleAfter
		if rec.Origin == trace.OriginUnknown && !hopeless {
			r.facts.named = append(r.facts.named, n)
			continue
		}
		r.keepFile(s, rec)
	}
}

func (r *recording) keepFile(s *space, rec *trace.File) {
	same := *rec
	same.Sighting = trace.Sighting{}
	r.fact(s, same, rec)
}

// program is an exec.
func (r *recording) program(key *bpf.RecorderFileKey, val *bpf.RecorderFileVal) {
	s := r.space(key.Id)
	file, place, cut := r.placed(val)
	rec := &trace.Exec{Path: file, Place: place, Script: string(chars(val)), Cut: cut, Sighting: r.sighting(&val.By)}
	rec.Exe = ""
	same := *rec
	same.Sighting = trace.Sighting{}
	r.fact(s, same, rec)
}

// opened is a file whose own place was read.
func (r *recording) opened(key *bpf.RecorderFileKey, val *bpf.RecorderFileVal) {
	s := r.space(key.Id)
	file, place, cut := r.placed(val)
	seenAt(s, path.Dir(file), place, cut)
	r.keepFile(s, &trace.File{
		Access: accesses()[key.Access%11], Path: file, Place: place, Cut: cut,
		Overflow: key.Overflow != 0, Sighting: r.sighting(&val.By),
	})
}

// seenAt notes a directory that was reached as it is.
func seenAt(s *space, dir string, place trace.Place, cut bool) {
	if place.Origin == "" && !cut {
		s.places.see(dir, place)
		s.places.see(place.Mount, place)
	}
}

// placed reads what the kernel said of a file's place. cut says that the path is
// only its end.
func (r *recording) placed(val *bpf.RecorderFileVal) (file string, place trace.Place, cut bool) {
	place.FS = leaf(text(val.Fs[:]))
	inside := joinNames(text(val.Inside[:]))
	cut = val.Flags&fileCut != 0
	switch {
	case val.Flags&fileMemory != 0:
		place.Origin = trace.OriginMemory
		return inside, place, false
	case val.Flags&fileOutside != 0:
		place.Origin = trace.OriginOutside
		return inside, place, true
	case val.Flags&filePointCut != 0:
		place.Origin = trace.OriginUnknown
		return inside, place, true
	}
	place.Mount = joinNames(text(val.Point[:]))
	if cut {
		return inside, place, true
	}
	return path.Join(place.Mount, inside), place, false
}

// named is a fact about a name.
func (r *recording) named(s *space, key *bpf.RecorderFileKey, val *bpf.RecorderFileVal) *trace.File {
	rec := &trace.File{
		Access: accesses()[key.Access%11], Overflow: key.Overflow != 0,
		Sighting: r.sighting(&val.By), Called: true,
	}
	name := chars(val)
	switch {
	case val.Flags&fileUnreadable != 0:
		rec.Origin = trace.OriginUnknown
		return rec
	case len(name) > 0 && name[0] == 0:
		rec.Path, rec.Origin, rec.Called = "@"+string(name[1:]), trace.OriginAbstract, false
		return rec
	}
	follow := val.Flags&fileFollow != 0
	base, place, cut := r.placed(val)
	if val.Flags&fileLed != 0 {
		rec.Path, rec.Place, rec.Cut, rec.Called = base, place, cut, false
		if !follow {
			rec.Path = path.Join(base, path.Base(string(name)))
			seenAt(s, base, place, cut)
		}
		return rec
	}
	rec.Path, rec.Cut = path.Join(base, string(name)), cut || val.Flags&fileTextCut != 0
	rec.Place = trace.Place{Origin: trace.OriginUnknown}
	if rec.Cut {
		return rec
	}
	// A plain name stands in the directory it is relative to.
	plain := !bytes.Contains(name, []byte("/")) && string(name) != ".." && string(name) != "."
	switch known, ok := s.places.find(rec.Path, follow); {
	case plain && !follow && place.Origin != trace.OriginUnknown:
		rec.Place, rec.Called = place, false
	case ok:
		rec.Place, rec.Called = known, false
	default:
		rec.Place = r.askPlace(s, int(val.By.Pid), rec.Path, follow)
	}
	return rec
}

// askPlace looks at the file system as a process of the container sees it.
func (r *recording) askPlace(s *space, pid int, file string, follow bool) trace.Place {
	for _, pid := range []int{pid, s.sight.PID} {
		if place, err := lookUp(pid, s.inum, file, follow); err == nil {
			return place
		}
	}
	return trace.Place{Origin: trace.OriginUnknown}
}

// chars is the name that a call was made with.
func chars(val *bpf.RecorderFileVal) []byte {
	return bytes.Clone(text(val.Text[:])[:min(int(val.Length), len(val.Text))])
}
