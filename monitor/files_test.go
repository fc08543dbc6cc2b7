package monitor

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"advisor/trace"
)

// furnish makes the directories that actFiles works in.
func furnish(t *testing.T) string {
	dir := t.TempDir()
	for _, d := range []string{"a", "b", "c", "d", "e", "f", "w", "r", "vol", "many"} {
		must0(t, os.Mkdir(filepath.Join(dir, d), 0o755))
	}
	for _, f := range []string{"w/old", "r/file", "c/mode", "e/short"} {
		must0(t, os.WriteFile(filepath.Join(dir, f), []byte("x"), 0o644))
	}
	must0(t, os.WriteFile(filepath.Join(dir, "script.sh"), []byte("#!/bin/sh\nexit 0\n"), 0o755))
	must0(t, os.Symlink("vol", filepath.Join(dir, "link")))
	return dir
}

func must0(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fileLines are facts as "access path mount", with where they are in place of dir.
func fileLines(list []*trace.File, dir string, keep func(*trace.File) bool) []string {
	var lines []string
	for _, f := range list {
		if keep(f) {
			line := fmt.Sprintf("%s %s %s", f.Access, f.Path, f.Mount+string(f.Origin))
			lines = append(lines, strings.ReplaceAll(line, dir, "DIR"))
		}
	}
	slices.Sort(lines)
	return lines
}

// TestFiles records a program that does known things. Everything is there, at
// the right mount, and nothing else is.
func TestFiles(t *testing.T) {
	dir := furnish(t)
	root := mountOfPath(t, dir)
	log := filepath.Join(t.TempDir(), "trace.log")
	got := runWith(t, Options{
		Files: true, Command: self(t, "files", dir), Output: log,
		Status: func(Status) {
			// The last to be looked up; the program waits until it is known.
			raw, _ := os.ReadFile(log)
			made := bytes.Contains(raw, []byte("/vol/sub")) || bytes.Contains(raw, []byte("/link/sub"))
			if made && bytes.Contains(raw, []byte("c/mode")) {
				_ = os.WriteFile(filepath.Join(dir, "done"), nil, 0o644)
			}
		},
	})
	list := of[*trace.File](got, baseName(self(t)[0]))
	writes := fileLines(list, dir, func(f *trace.File) bool {
		return f.Access.Writes() && !strings.Contains(f.Path, "/many") && !f.Overflow && f.Origin != trace.OriginMemory
	})
	want := []string{
		"attributes DIR/c/mode ROOT", "bind @advisor-files abstract", "bind DIR/vol/socket DIR/vol",
		"create DIR/a/new ROOT", "create DIR/d/link ROOT", "create DIR/vol/sub DIR/vol", "create DIR/vol/x DIR/vol",
		"remove DIR/b/renamed ROOT", "rename DIR/a/new ROOT", "rename DIR/b/renamed ROOT",
		"write DIR/e/short ROOT", "write DIR/w/old ROOT",
	}
	for i := range want {
		want[i] = strings.ReplaceAll(want[i], "ROOT", root)
	}
	for i := range writes { // as it was called, where the kernel does not keep what links say
		writes[i] = strings.ReplaceAll(writes[i], "DIR/link/", "DIR/vol/")
	}
	slices.Sort(writes)
	if diff := cmp.Diff(want, writes); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
	for _, want := range []string{"connect DIR/vol/socket DIR/vol", "connect @advisor-files abstract"} {
		if all := fileLines(list, dir, func(f *trace.File) bool { return f.Access == trace.AccessConnect }); !slices.Contains(all, want) {
			t.Errorf("no %q among %v", want, all)
		}
	}
	checkMany(t, list, dir)
	checkOpened(t, list, root)
	checkPrograms(t, of[*trace.Exec](got, baseName(self(t)[0])), dir)
}

func checkMany(t *testing.T, list []*trace.File, dir string) {
	t.Helper()
	kept, over := 0, 0
	for _, f := range list {
		if f.Access != trace.AccessCreate {
			continue
		}
		if strings.HasPrefix(f.Path, dir+"/many/") {
			kept++
		}
		if f.Overflow {
			over++
		}
	}
	if kept < 50 || kept > 65 || over != 1 {
		t.Errorf("%d of 100 directories kept and %d facts that say there are more, want 64 less some and one", kept, over)
	}
}

func checkOpened(t *testing.T, list []*trace.File, root string) {
	t.Helper()
	for _, want := range []trace.File{
		{Access: trace.AccessRead, Place: trace.Place{Mount: root}},
		{Access: trace.AccessMap, Place: trace.Place{Mount: root}},
		{Access: trace.AccessDevice, Path: "/dev/null"},
	} {
		if !slices.ContainsFunc(list, func(f *trace.File) bool {
			return f.Access == want.Access && (want.Path == "" || f.Path == want.Path) &&
				(want.Mount == "" || f.Mount == want.Mount)
		}) {
			t.Errorf("nothing like %+v", want)
		}
	}
}

func checkPrograms(t *testing.T, list []*trace.Exec, dir string) {
	t.Helper()
	script, memory, us := false, false, false
	for _, e := range list {
		script = script || e.Script == dir+"/script.sh" && e.Mount != "" && filepath.Base(e.Path) != "script.sh"
		memory = memory || e.Origin == trace.OriginMemory && strings.Contains(e.Path, "nowhere")
		us = us || e.Script == "" && e.Path == self(t)[0]
	}
	if !script || !memory || !us || len(list) != 3 {
		for _, e := range list {
			t.Logf("%+v", *e)
		}
		t.Errorf("programs: script %t, from memory %t, ourselves %t, %d in all; want one of each", script, memory, us, len(list))
	}
}

// mountOfPath is the mount point that a path of ours lies on.
func mountOfPath(t *testing.T, path string) string {
	t.Helper()
	place, err := lookUp(os.Getpid(), ownMounts(t), path, true)
	must0(t, err)
	return place.Mount
}

func ownMounts(t *testing.T) uint32 {
	t.Helper()
	var inum uint32
	name, err := os.Readlink("/proc/self/ns/mnt")
	must0(t, err)
	if _, err := fmt.Sscanf(name, "mnt:[%d]", &inum); err != nil {
		t.Fatal(err)
	}
	return inum
}

// TestFilesOff records the same without being asked for files.
func TestFilesOff(t *testing.T) {
	got := run(t, t.Context(), Options{Command: []string{"sh", "-c", "echo > " + t.TempDir() + "/x"}})
	if list := of[*trace.File](got, "sh"); len(list) > 0 {
		t.Errorf("%+v, and nobody asked", *list[0])
	}
}
