package container

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// readInRoot reads a file of a container's own root filesystem, named by the
// bundle. The kernel keeps the lookup beneath the root, on the same mount and
// free of links of any kind, so nothing in the container can lead it astray.
// Roots that some program serves are left alone: it could let the reader wait.
func (q *query) readInRoot(root, path string) ([]byte, error) {
	root = filepath.Join(q.files.root, root)
	if served(q.proc.mountinfo(), root) {
		return nil, os.ErrPermission
	}
	dir, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(dir)
	fd, err := unix.Openat2(dir, path, &unix.OpenHow{
		Flags: unix.O_RDONLY | unix.O_NONBLOCK | unix.O_NOFOLLOW | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS |
			unix.RESOLVE_NO_XDEV,
	})
	if err != nil {
		return nil, err
	}
	return readRegular(fd, path)
}

func (p proc) mountinfo() []byte {
	data, err := os.ReadFile(filepath.Join(p.dir, "self/mountinfo"))
	if err != nil {
		return nil
	}
	return data
}

// served tells whether path is on a filesystem that waits for a program or
// another machine. The mount is the one with the longest path above.
func served(mountinfo []byte, path string) bool {
	var longest, kind string
	for line := range strings.Lines(string(mountinfo)) {
		mount, rest, ok := strings.Cut(line, " - ")
		f, g := strings.Fields(mount), strings.Fields(rest)
		if !ok || len(f) < 5 || len(g) == 0 {
			continue
		}
		if at := f[4]; len(at) >= len(longest) && beneath(path, at) {
			longest, kind = at, g[0]
		}
	}
	switch kind {
	case "9p", "afs", "ceph", "cifs", "nfs", "nfs4", "smb3", "virtiofs":
		return true
	}
	return kind == "" || strings.HasPrefix(kind, "fuse")
}

func beneath(path, dir string) bool {
	return dir == "/" || path == dir || strings.HasPrefix(path, dir+"/")
}
