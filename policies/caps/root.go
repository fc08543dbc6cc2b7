package caps

import (
	"path"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/trace"
)

// Root is what was seen of the container's root file system. The zero value is
// for recordings that did not look.
type Root struct {
	// Known says that every write to it is in Written. Where it is false, Doubts
	// say why, and are empty where nothing looked.
	Known  bool
	Doubts []string
	// Written are the directories in it that were written in, without those below
	// another of them, sorted.
	Written []string
	// Unplaced are directories that were written in and of which it is not known
	// whether they lie in it, as the program called them, sorted.
	Unplaced []string
}

// rootOf is what o's recordings saw of the root file system, where the paths in
// mounted are mounts of their own. It takes a recording of every container from
// its start, without a loss, for nothing to have been missed.
func rootOf(o policies.Observation, mounted []string) Root {
	if !o.FileEvidence.Recorded && len(o.Files) == 0 {
		return Root{}
	}
	r := Root{
		Known:  o.FileEvidence.Recorded && o.FileEvidence.Complete == trace.CompleteTrue,
		Doubts: o.FileEvidence.Reasons,
	}
	for _, w := range o.Written() {
		if w.Origin == trace.OriginUnknown {
			r.Unplaced = outermost(slices.DeleteFunc(w.Directories, func(dir string) bool { return !path.IsAbs(dir) }))
		}
		if w.Mount != "/" {
			continue
		}
		for _, dir := range w.Directories {
			if !slices.ContainsFunc(mounted, func(mount string) bool { return within(dir, mount) }) {
				r.Written = append(r.Written, dir)
			}
		}
		if w.Partial {
			r.Known = false
			r.Doubts = append(slices.Clone(r.Doubts), "not every directory that was written in is known")
		}
	}
	r.Written = outermost(r.Written)
	return r
}

// within tells whether a clean, absolute path is dir or lies below it.
func within(name, dir string) bool {
	dir = path.Clean(dir)
	return name == dir || dir == "/" || strings.HasPrefix(name, dir+"/")
}

// outermost are the directories that lie below no other of them, sorted.
func outermost(dirs []string) []string {
	dirs = slices.Clone(dirs)
	slices.Sort(dirs)
	var list []string
	for _, dir := range dirs {
		if !slices.ContainsFunc(list, func(above string) bool { return within(dir, above) }) {
			list = append(list, dir)
		}
	}
	return list
}

// scratch tells directories whose content need not outlive a program (Filesystem
// Hierarchy Standard 3.0, sections 3.15, 3.18, 5.5, 5.9, 5.13 and 5.15) from
// those that hold data, or what came with the image.
func scratch(dir string) bool {
	return slices.ContainsFunc([]string{
		"/run", "/tmp", "/var/cache", "/var/lock", "/var/run", "/var/tmp",
	}, func(tree string) bool { return within(dir, tree) })
}

// unseen says that no recording looked.
func (r Root) unseen() bool { return !r.Known && len(r.Doubts)+len(r.Written) == 0 }

// Touched are all directories that may have to be written to, sorted.
func (r Root) Touched() []string { return outermost(slices.Concat(r.Written, r.Unplaced)) }

// untouched says that nothing was written to the root file system.
func (r Root) untouched() bool { return r.Known && len(r.Written) == 0 }

// tmpfs are the directories that take a file system of their own for the rest to
// be read-only, nil where that is not known to do.
func (r Root) tmpfs() []string {
	if !r.Known || slices.ContainsFunc(r.Written, func(dir string) bool { return !scratch(dir) }) {
		return nil
	}
	return r.Written
}

// notes say what a read-only root file system would take, for people.
func (r Root) notes() []string {
	where := strings.Join(r.Written, ", ")
	switch {
	case len(r.Written) == 0 && len(r.Doubts) > 0:
		return []string{"whether the root file system could be read-only is not known: " + strings.Join(r.Doubts, "; ")}
	case len(r.Written) == 0:
		return nil
	}
	note := "the root file system is written to in " + where
	if !r.Known {
		return []string{note + ", and perhaps elsewhere: " + strings.Join(r.Doubts, "; ")}
	}
	if kept := slices.DeleteFunc(slices.Clone(r.Written), scratch); len(kept) > 0 {
		return []string{note + "; to be read-only it takes a volume at each, and at " + strings.Join(kept, ", ") +
			" one that keeps what is written and holds what the image has there"}
	}
	return []string{note + "; with an emptyDir or a tmpfs at each it can be read-only"}
}

// writers are the writes behind directories of the root file system, as
// evidence: at most eight lines.
func writers(o policies.Observation, dirs []string) []string {
	var lines []string
	for _, f := range o.Files {
		inside := slices.ContainsFunc(dirs, func(dir string) bool { return within(path.Dir(f.Path), dir) })
		if f.Mount == "/" && f.Access.Writes() && inside && len(lines) < 8 {
			lines = append(lines, string(f.Access)+" "+printable(f.Path)+" by "+orSomething(printable(f.First.Comm)))
		}
	}
	return lines
}
