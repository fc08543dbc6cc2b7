package report

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"advisor/policies"
)

// manifestFiles are the files that paths stand for, sorted, each once.
func manifestFiles(paths []string) ([]string, error) {
	var all []string
	for _, path := range paths {
		files, err := filesIn(path)
		if err != nil {
			return nil, err
		}
		all = append(all, files...)
	}
	for i, file := range all {
		all[i] = fromHere(file)
	}
	return unique(all), nil
}

// fromHere is a file by its path from the working directory, where it lies in it:
// what shows findings beside the code knows no others.
func fromHere(file string) string {
	here, err := os.Getwd()
	if err != nil || !filepath.IsAbs(file) {
		return file
	}
	relative, err := filepath.Rel(here, file)
	if err != nil || !filepath.IsLocal(relative) {
		return file
	}
	return relative
}

// unique are files sorted, each once: one that is named in several ways goes by the
// shortest relative name. Reading a file again adds nothing but counts that are
// wrong, and the order in which files are named means nothing.
func unique(files []string) []string {
	names := make(map[string][]string) // by where they lead
	for _, file := range files {
		key := target(file)
		names[key] = append(names[key], file)
	}
	var list []string
	for _, same := range names {
		list = append(list, slices.MinFunc(same, compareNames))
	}
	slices.Sort(list)
	return list
}

// stdinName is what stands for stdin among paths.
const stdinName = "-"

// target is where a file is, with links followed; what is no file, such as a pipe,
// is only where it is named, and so is what cannot be found, which reading it tells.
func target(file string) string {
	info, err := os.Stat(file)
	if file == stdinName || err != nil || !info.Mode().IsRegular() {
		return file
	}
	real, err := filepath.EvalSymlinks(file)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		return file
	}
	return real
}

func compareNames(a, b string) int {
	absolute := func(name string) int {
		if filepath.IsAbs(name) {
			return 1
		}
		return 0
	}
	return cmp.Or(absolute(a)-absolute(b), len(a)-len(b), strings.Compare(a, b))
}

// filesIn are the files that one path stands for. A file that is named is read
// whatever it is called; of a directory, which may be named by a link, everything
// that looks like a manifest and is not hidden.
func filesIn(path string) ([]string, error) {
	if path == stdinName {
		return []string{path}, nil
	}
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return []string{filepath.Clean(path)}, err
	}
	root := filepath.Clean(path) + string(filepath.Separator) // leads through a link
	var files []string
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case file != root && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
		case !d.IsDir() && slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(file)):
			files = append(files, file)
		}
		return nil
	})
	return files, err
}

// read takes in one file.
func (m *Manifests) read(file string, stdin io.Reader) error {
	var text []byte
	var err error
	if file == stdinName {
		text, err = io.ReadAll(stdin)
		file = "stdin"
	} else {
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return fmt.Errorf("reading manifests: %w", err)
	}
	m.Files = append(m.Files, file)
	m.add(policies.OneLine(filepath.ToSlash(file)), text)
	return nil
}
