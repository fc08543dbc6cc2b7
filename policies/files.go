package policies

import (
	"cmp"
	"path"
	"strings"

	"advisor/trace"
)

// Exec is one program that the workload ran.
type Exec struct {
	Path string
	trace.Place
	Script string // what was to be run, where Path is its interpreter
	Cut    bool
	Seen
}

// File is one access to a file system, with the path it was seen on. There is
// one for each directory that was written to, and one for each mount that was
// read; the path stands for others like it.
type File struct {
	Access trace.Access
	Path   string
	trace.Place
	Called   bool
	Cut      bool
	Overflow bool // there were more directories
	Seen
}

type execKey struct {
	Path   string
	Place  trace.Place
	Script string
	Cut    bool
}

type fileKey struct {
	Access                trace.Access
	Path                  string
	Place                 trace.Place
	Called, Cut, Overflow bool
}

func (f *facts) addExec(r *trace.Exec) {
	f.execs.note(execKey{r.Path, r.Place, r.Script, r.Cut}, r.Sighting)
}

func (f *facts) addFile(r *trace.File) {
	key := fileKey{r.Access, r.Path, r.Place, r.Called, r.Cut, r.Overflow}
	f.files.note(key, r.Sighting)
}

func (f *facts) listFiles(obs *Observation) {
	for k, seen := range f.execs {
		obs.Execs = append(obs.Execs, Exec{k.Path, k.Place, k.Script, k.Cut, *seen})
	}
	for k, seen := range f.files {
		obs.Files = append(obs.Files, File{
			k.Access, k.Path, k.Place, k.Called, k.Cut, k.Overflow, *seen,
		})
	}
}

func compareExecs(a, b Exec) int {
	return cmp.Or(strings.Compare(a.Path, b.Path), comparePlaces(a.Place, b.Place),
		strings.Compare(a.Script, b.Script), compareBools(a.Cut, b.Cut))
}

func compareFiles(a, b File) int {
	return cmp.Or(comparePlaces(a.Place, b.Place), strings.Compare(string(a.Access), string(b.Access)),
		strings.Compare(a.Path, b.Path), compareBools(a.Called, b.Called), compareBools(a.Cut, b.Cut),
		compareBools(a.Overflow, b.Overflow))
}

func comparePlaces(a, b trace.Place) int {
	return cmp.Or(strings.Compare(a.Mount, b.Mount), strings.Compare(string(a.Origin), string(b.Origin)),
		strings.Compare(a.FS, b.FS))
}

// Written is a mount that the workload wrote to: on a read-only file system it
// would have failed.
type Written struct {
	trace.Place
	// Directories that were written in, sorted: what would have to be volumes
	// were the rest read-only.
	Directories []string
	Partial     bool // there are more directories, or one whose path is too long
}

// Written lists the mounts that were written to, sorted. A write whose place
// could not be told is in a [Written] of [trace.OriginUnknown], with the
// directories as the program called them.
func (o *Observation) Written() []Written {
	var list []Written
	for _, f := range o.Files {
		if !f.Access.Writes() || f.Origin == trace.OriginAbstract {
			continue
		}
		if n := len(list); n == 0 || comparePlaces(list[n-1].Place, f.Place) != 0 {
			list = append(list, Written{Place: f.Place})
		}
		list[len(list)-1].add(f)
	}
	for i := range list {
		list[i].Directories = sortedSet(list[i].Directories)
	}
	return list
}

func (w *Written) add(f File) {
	w.Partial = w.Partial || f.Overflow || f.Cut
	if f.Path != "" && !f.Cut {
		w.Directories = append(w.Directories, path.Dir(f.Path))
	}
}

// FileEvidence is how much the facts about programs and files can be trusted.
type FileEvidence struct {
	// Recorded says that they were looked for, in every container and recording.
	Recorded bool `json:"recorded"`
	// Complete is false where some are known to be missing, and unknown where
	// some may be.
	Complete trace.Complete `json:"complete"`
	Reasons  []string       `json:"reasons,omitempty"` // why it is not true, sorted
}

// fileEvidence is the zero value where no recording looked for file facts.
func fileEvidence(replicas []*container, obs *Observation) FileEvidence {
	recorded, all := 0, 0
	for _, c := range replicas {
		for _, seg := range c.segments {
			all++
			if probe := seg.header.Probes.Files; probe != "" && !strings.HasPrefix(probe, "off") {
				recorded++
			}
		}
	}
	if recorded == 0 {
		return FileEvidence{}
	}
	e := FileEvidence{Recorded: recorded == all, Complete: obs.Evidence.Complete}
	if recorded < all {
		e.doubt(trace.CompleteUnknown, "not every recording looked for them")
	}
	if obs.Evidence.Complete != trace.CompleteTrue {
		e.doubt(obs.Evidence.Complete, "the recording is not complete")
	}
	if obs.Evidence.Late > 0 {
		e.doubt(trace.CompleteUnknown, "what was opened before recording began is not known")
	}
	e.addFiles(obs.Files)
	e.addCalls(obs.Syscalls)
	e.Reasons = sortedSet(e.Reasons)
	return e
}

func (e *FileEvidence) doubt(c trace.Complete, reason string) {
	e.Complete = worse(e.Complete, c)
	e.Reasons = append(e.Reasons, reason)
}

func (e *FileEvidence) addFiles(files []File) {
	for _, f := range files {
		switch {
		case f.Overflow:
			e.doubt(trace.CompleteFalse, "more directories of "+f.name()+" than are kept")
		case f.Origin == trace.OriginUnknown:
			e.doubt(trace.CompleteUnknown, "where "+f.Path+" lies is not known")
		}
	}
}

func (f *File) name() string { return cmp.Or(f.Mount, string(f.Origin)) }

// addCalls looks for ways to files that the recorder does not watch.
func (e *FileEvidence) addCalls(calls []Syscall) {
	for _, c := range calls {
		switch {
		case c.Phase != trace.PhaseRun:
		case c.Name == "io_uring_setup":
			e.doubt(trace.CompleteUnknown, "what was done through io_uring is not known")
		case c.Arch == trace.ArchX32:
			e.doubt(trace.CompleteUnknown, "what x32 calls did with files is not known")
		case c.Arch == trace.ArchI386 && (c.Name == "socketcall" || c.Name == "mmap"):
			e.doubt(trace.CompleteUnknown, "what i386 calls whose arguments are in memory did with files is not known")
		}
	}
}
