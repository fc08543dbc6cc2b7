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

// manifestFiles are the files that paths stand for, sorted, each once: one that is
// named in several ways goes by the shortest relative name.
func manifestFiles(paths []string) ([]string, error) {
	names := make(map[string][]string) // by where they lead
	for _, path := range paths {
		files, err := filesIn(path)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			key := file
			if file != stdinName {
				if key, err = target(file); err != nil {
					return nil, err
				}
			}
			names[key] = append(names[key], file)
		}
	}
	var files []string
	for _, list := range names {
		files = append(files, slices.MinFunc(list, compareNames))
	}
	slices.Sort(files)
	return files, nil
}

// stdinName is what stands for stdin among paths.
const stdinName = "-"

// target is where a file is, with links followed; what is no file, such as a pipe,
// is only where it is named.
func target(file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() {
		return file, err
	}
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return "", err
	}
	return filepath.Abs(real)
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
