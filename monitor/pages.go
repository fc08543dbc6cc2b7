package monitor

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Where a process touches a page of its program, the kernel maps sixteen, or the
// whole of a large one. Starting up touches something everywhere: from then on
// nearly all of a large program is mapped, of which recording needs a tenth. The
// pages are the file's, and the kernel takes them back where memory is short.
// Until then they count as the recorder's.

// Values of linux/userfaultfd.h that golang.org/x/sys does not have.
const (
	uffdVersion      = 0xaa
	uffdUserModeOnly = 1
	uffdAsync        = 1 << 15 // UFFD_FEATURE_WP_ASYNC, of Linux 6.7
	uffdProtect      = 1 << 1  // UFFDIO_REGISTER_MODE_WP
	uffdioAPI        = 0xc018aa3f
	uffdioRegister   = 0xc020aa00
)

// singly has the pages of a program mapped one at a time, until it is closed.
type singly struct{ fd int }

// mapSingly gives back the pages of the program and its libraries that are
// mapped, and has each of them that is needed again mapped alone.
//
// The kernel maps nothing around a page whose mapping is registered for write
// protection (uffd_disable_fault_around in its linux/userfaultfd_k.h). Nothing is
// ever protected here, and with the asynchronous kind nobody has to answer:
// registering changes nothing else. It takes no privilege, and ends with the file
// descriptor, which no program inherits. Where the kernel is older than 6.7 or
// refuses, everything stays as it was.
func mapSingly() (*singly, error) {
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return nil, fmt.Errorf("looking at the program's pages: %w", err)
	}
	fd, _, errno := unix.Syscall(unix.SYS_USERFAULTFD, unix.O_CLOEXEC|unix.O_NONBLOCK|uffdUserModeOnly, 0, 0)
	if errno != 0 {
		return nil, fmt.Errorf("userfaultfd: %w", errno)
	}
	s := &singly{int(fd)}
	api := struct{ version, features, ioctls uint64 }{uffdVersion, uffdAsync, 0}
	err = s.ask(uffdioAPI, unsafe.Pointer(&api))
	for _, p := range unchanged(smaps) {
		if err == nil {
			err = s.take(p)
		}
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// take registers a mapping and gives its pages back.
func (s *singly) take(p pages) error {
	register := struct{ start, length, mode, ioctls uint64 }{uint64(p.start), uint64(p.end - p.start), uffdProtect, 0}
	if err := s.ask(uffdioRegister, unsafe.Pointer(&register)); err != nil {
		return err
	}
	// A kernel without large pages refuses this, and does not need it.
	_ = p.advise(unix.MADV_NOHUGEPAGE)
	return p.advise(unix.MADV_DONTNEED)
}

func (s *singly) ask(request uintptr, arg unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(s.fd), request, uintptr(arg)); errno != 0 {
		return fmt.Errorf("userfaultfd: %w", errno)
	}
	return nil
}

func (s *singly) close() error { return unix.Close(s.fd) }

// pages are those from one address up to another.
type pages struct{ start, end uintptr }

func (p pages) advise(how uintptr) error {
	if _, _, errno := unix.Syscall(unix.SYS_MADVISE, p.start, p.end-p.start, how); errno != 0 {
		return fmt.Errorf("giving back pages of the program: %w", errno)
	}
	return nil
}

// unchanged are the mappings of files, as /proc/PID/smaps has them (proc(5)), that
// cannot be written and hold what the file does and nothing else. One that the
// linker or a debugger has changed has pages of its own, which nobody could give
// back.
func unchanged(smaps []byte) []pages {
	var list []pages
	var p pages
	for line := range bytes.Lines(smaps) {
		f := strings.Fields(string(line))
		switch {
		case len(f) > 5 && !strings.HasSuffix(f[0], ":"): // address, rights, offset, device, inode, path
			p = pages{}
			if fixed := f[1] == "r-xp" || f[1] == "r--p"; fixed && f[4] != "0" {
				_, _ = fmt.Sscanf(f[0], "%x-%x", &p.start, &p.end)
			}
		case len(f) == 5: // without a path
			p = pages{}
		case len(f) == 3 && f[0] == "Anonymous:" && f[1] == "0" && p.end > p.start:
			list = append(list, p)
		}
	}
	return list
}
