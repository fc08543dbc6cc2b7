package monitor

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"advisor/trace"
)

// places are directories of a namespace that were seen as they are: reached
// without a link, so that their names mean them, and the names above them too.
type places map[string]trace.Place

// maxPlaces bounds how many are kept. Without them more has to be looked up.
const maxPlaces = 1024

// see notes a directory, and those above it on the same mount.
func (p *places) see(dir string, place trace.Place) {
	if *p == nil {
		*p = make(places)
	}
	for len(*p) < maxPlaces && below(dir, place.Mount) {
		if _, known := (*p)[dir]; known {
			return
		}
		(*p)[dir] = place
		if dir == "/" {
			return
		}
		dir = path.Dir(dir)
	}
}

func below(file, dir string) bool {
	return file == dir || dir == "/" || strings.HasPrefix(file, dir+"/")
}

// find is the place of a name in a directory that was seen. What follow leads
// to may be elsewhere, unless it is a directory that was seen itself.
func (p places) find(file string, follow bool) (trace.Place, bool) {
	if !follow {
		file = path.Dir(file)
	}
	place, ok := p[file]
	return place, ok
}

// lookUp finds the mount that a path leads to for a process, whose mount
// namespace has to be the one with the number inum: pids are used again. Of a
// name that is not followed it is the mount of its directory.
func lookUp(pid int, inum uint32, file string, follow bool) (trace.Place, error) {
	if pid <= 0 {
		return trace.Place{}, os.ErrProcessDone
	}
	root, err := unix.Open(fmt.Sprintf("/proc/%d/root", pid), unix.O_PATH|unix.O_CLOEXEC|unix.O_DIRECTORY, 0)
	if err != nil {
		return trace.Place{}, err
	}
	defer unix.Close(root)
	mounts, err := os.Open(fmt.Sprintf("/proc/%d/mountinfo", pid))
	if err != nil {
		return trace.Place{}, err
	}
	defer mounts.Close()
	// What was opened is the process's, as long as it is the right one still.
	if ns, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", pid)); err != nil || ns != fmt.Sprintf("mnt:[%d]", inum) {
		return trace.Place{}, errors.Join(os.ErrProcessDone, err)
	}
	if !follow {
		file = path.Dir(file)
	}
	id, err := mountOf(root, file)
	if err != nil {
		return trace.Place{}, err
	}
	return mountPoint(mounts, id)
}

// mountOf is the id of the mount that file lies on.
func mountOf(root int, file string) (uint64, error) {
	fd, err := unix.Openat2(root, file, &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	var st unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH|unix.AT_STATX_DONT_SYNC, unix.STATX_MNT_ID, &st); err != nil {
		return 0, err
	}
	if st.Mask&unix.STATX_MNT_ID == 0 {
		return 0, errors.ErrUnsupported
	}
	return st.Mnt_id, nil
}

// mountPoint finds a mount by its id in a mountinfo file, as proc(5) has it.
func mountPoint(mountinfo io.Reader, id uint64) (trace.Place, error) {
	lines := bufio.NewScanner(mountinfo)
	for lines.Scan() {
		before, after, _ := strings.Cut(lines.Text(), " - ")
		fields, fs := strings.Fields(before), strings.Fields(after)
		if len(fields) < 5 || len(fs) < 1 || fields[0] != strconv.FormatUint(id, 10) {
			continue
		}
		return trace.Place{Mount: unescape(fields[4]), FS: fs[0]}, nil
	}
	return trace.Place{}, errors.Join(os.ErrNotExist, lines.Err())
}

// unescape undoes the octal escapes of mountinfo: space, tab, newline, backslash.
func unescape(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				out.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return out.String()
}
