package main

import (
	"errors"
	"os"

	"advisor/report"
)

// fixing turns findings into changes of the files that were read.
type fixing struct {
	Patch bool `xor:"fix" help:"Print what would make the manifests fit, as a unified diff."`
	Write bool `xor:"fix" help:"Change the manifests, in place."`
	Check bool `help:"With --write: change nothing, and end with 1 where something would be."`
}

func (f fixing) asked() bool { return f.Patch || f.Write || f.Check }

// fixes are changes, and what could not be changed.
type fixes struct {
	list     []report.Fix
	problems []report.Problem
}

// fix prints or makes the changes. It ends with 1 where a patch or a check says
// that there is something to change.
func (f fixing) fix(s streams, found fixes) error {
	if f.Check && !f.Write {
		return errors.New("--check goes with --write")
	}
	for _, p := range found.problems {
		s.say("%s", p)
	}
	for _, fix := range found.list {
		if err := f.apply(s, fix); err != nil {
			return err
		}
	}
	if len(found.problems) > 0 || len(found.list) > 0 && (f.Patch || f.Check) {
		return exitCode(exitDrift)
	}
	return nil
}

func (f fixing) apply(s streams, fix report.Fix) error {
	switch {
	case f.Patch:
		_, err := s.out.Write([]byte(fix.Patch()))
		return err
	case f.Check:
		s.say("%s would change", fix.File)
		return nil
	case fix.File == "stdin":
		_, err := s.out.Write(fix.After)
		return err
	}
	if err := overwrite(fix.File, fix.After); err != nil {
		return err
	}
	s.say("changed %s", fix.File)
	return nil
}

// overwrite changes a file and leaves its mode as it is.
func overwrite(path string, body []byte) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := replace(path, body); err != nil {
		return err
	}
	return os.Chmod(path, info.Mode().Perm())
}
