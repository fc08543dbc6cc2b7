package container

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// files reads the state that runtimes keep on the host's disk.
type files struct{ root string }

// read returns a regular file of bounded size. It neither follows a link in
// the last place nor waits for whoever holds the other end of a pipe.
func (f files) read(path string) ([]byte, error) {
	const flags = unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC
	fd, err := unix.Open(filepath.Join(f.root, path), flags, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return readRegular(fd, path)
}

// readRegular reads fd and closes it.
func readRegular(fd int, path string) ([]byte, error) {
	file := os.NewFile(uintptr(fd), path)
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, fmt.Errorf("read %s: not a regular file of at most %d bytes", path, maxFile)
	}
	return io.ReadAll(io.LimitReader(file, maxFile))
}

// list returns the names in a directory, none where it cannot be read.
func (f files) list(path string) []string {
	entries, err := os.ReadDir(filepath.Join(f.root, path))
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// glob expands the patterns to the directories there are.
func (f files) glob(patterns []string) []string {
	var dirs []string
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(f.root, pattern))
		if err != nil {
			continue
		}
		for _, dir := range found {
			dirs = append(dirs, "/"+strings.TrimPrefix(strings.TrimPrefix(dir, f.root), "/"))
		}
	}
	return dirs
}
