package main

import (
	"errors"
	"os"
	"path/filepath"

	"advisor/report"
)

// fixing turns findings into changes of the files that were read.
type fixing struct {
	Patch bool `xor:"fix" help:"Print what would make the manifests fit, as a unified diff."`
	Write bool `xor:"fix" help:"Change the manifests, in place."`
	Check bool `help:"With --write: change nothing, and end with 1 where something would be."`
}

func (f fixing) asked() bool { return f.Patch || f.Write || f.Check }

// fits refuses what does not go together.
func (f fixing) fits(o output) error {
	switch {
	case f.Check && !f.Write:
		return errors.New("--check goes with --write")
	case f.Write && o.Output != "":
		return errors.New("-o is where a report or a patch goes, and --write changes the manifests themselves")
	}
	return nil
}

// fixes are changes, and what could not be changed.
type fixes struct {
	list     []report.Fix
	problems []report.Problem
	stdin    []byte // what came from there, nil where nothing did
}

// fix prints or makes the changes. It ends with 1 where a patch or a check says
// that there is something to change.
func (f fixing) fix(s streams, found fixes, to output) error {
	for _, p := range found.problems {
		s.say("%s", p)
	}
	var err error
	switch {
	case f.Check:
		for _, fix := range found.list {
			s.say("%s would change", fix.File)
		}
	case f.Patch:
		err = f.print(s, found.list, to)
	default:
		err = f.write(s, found)
	}
	if err != nil {
		return err
	}
	if len(found.problems) > 0 || len(found.list) > 0 && (f.Patch || f.Check) {
		return exitCode(exitDrift)
	}
	return nil
}

// print writes one patch for all files; none where there is nothing to change.
func (f fixing) print(s streams, list []report.Fix, to output) error {
	var patch []byte
	for _, fix := range list {
		patch = append(patch, fix.Patch()...)
	}
	if len(patch) == 0 {
		return nil
	}
	return to.write(s, []document{{name: "advisor.patch", body: patch}})
}

// write changes the files. What came from stdin goes on to stdout, changed or not.
func (f fixing) write(s streams, found fixes) error {
	stdin := found.stdin
	for _, fix := range found.list {
		if fix.File == "stdin" {
			stdin = fix.After
			continue
		}
		if err := overwrite(fix.File, fix.After); err != nil {
			return err
		}
		s.say("changed %s", fix.File)
	}
	_, err := s.out.Write(stdin)
	return err
}

// overwrite changes a file, the one behind a link, and leaves its mode as it is.
func overwrite(path string, body []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := replace(path, body); err != nil {
		return err
	}
	return os.Chmod(path, info.Mode().Perm())
}
