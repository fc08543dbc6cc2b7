package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// output is where results go. It never makes a file before there is something
// to put into it, so a run that fails leaves none.
type output struct {
	Output string `short:"o" placeholder:"PATH" help:"Write to this file. A directory, or a name that ends in /, gets a file for each result; '-' is stdout."`
	Force  bool   `help:"Replace files that exist."`
}

// document is one result: a file's name, what it is in words, its content.
type document struct {
	name, title string
	body        []byte
}

// formatNames are what people write after -o in other tools.
var formatNames = [...]string{
	"json", "yaml", "yml", "text", "table", "wide", "name", "sarif", "markdown", "md", "html", "junit",
	"github", "gitlab", "oci", "docker", "podman",
}

// check refuses a path that is meant to be a format.
func (o output) check() error {
	if !slices.Contains(formatNames[:], o.Output) {
		return nil
	}
	return hint(fmt.Errorf("-o takes a path, and %q is the name of a format", o.Output),
		"formats go to --format; -o ./%s is a file of that name", o.Output)
}

// toStdout says that no path was given.
func (o output) toStdout() bool { return o.Output == "" || o.Output == "-" }

// spares says that the path is none of the files that are read: replacing
// those is never meant.
func (o output) spares(inputs []string) error {
	target, err := os.Stat(o.Output)
	if err != nil {
		return nil // there is nothing to lose
	}
	for _, name := range inputs {
		if input, err := os.Stat(name); err == nil && os.SameFile(target, input) {
			return fmt.Errorf("%s would be overwritten by what is made of it", name)
		}
	}
	return nil
}

// isDir says that the path names a directory.
func (o output) isDir() bool {
	info, err := os.Stat(o.Output)
	return err == nil && info.IsDir() || strings.HasSuffix(o.Output, string(filepath.Separator))
}

// write puts the documents where they belong and says what it wrote: all of
// them or, where one is in the way, none.
func (o output) write(s streams, docs []document) error {
	switch {
	case len(docs) == 0:
		return nil
	case o.toStdout():
		_, err := s.out.Write(stream(docs))
		return err
	case o.isDir():
		return o.writeDir(s, docs)
	}
	return o.writeFiles(s, []string{o.Output}, []document{{body: stream(docs)}})
}

func (o output) writeDir(s streams, docs []document) error {
	if err := os.MkdirAll(o.Output, 0o777); err != nil {
		return err
	}
	var paths []string
	for _, d := range docs {
		paths = append(paths, filepath.Join(o.Output, d.name))
	}
	return o.writeFiles(s, paths, docs)
}

func (o output) writeFiles(s streams, paths []string, docs []document) error {
	if err := o.refuseExisting(paths); err != nil {
		return err
	}
	for i, d := range docs {
		if err := replace(paths[i], d.body); err != nil {
			return err
		}
		s.say("wrote %s", paths[i])
	}
	return nil
}

// stream joins documents into one text: a stream of YAML, in which each is
// introduced by what it is, or the only one as it is.
func stream(docs []document) []byte {
	if len(docs) == 1 {
		return docs[0].body
	}
	var b bytes.Buffer
	for _, d := range docs {
		fmt.Fprintf(&b, "---\n# %s\n%s", d.title, d.body)
	}
	return b.Bytes()
}

func (o output) refuseExisting(paths []string) error {
	if o.Force {
		return nil
	}
	for _, p := range paths {
		info, err := os.Stat(p)
		if err == nil && !info.Mode().IsRegular() && !info.IsDir() {
			continue // a device or a pipe is there to be written to
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return hint(fmt.Errorf("%s exists", p), "--force replaces it")
		}
	}
	return nil
}

// replace writes a file whole or not at all. Devices and pipes are written to.
func replace(path string, body []byte) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(path, body, 0)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".advisor-*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(body)
	if err := errors.Join(err, temp.Chmod(0o644), temp.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return os.Rename(temp.Name(), path)
}
