package monitor

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// actFiles does known things below dir, of which vol is a volume, and ends
// when dir/done is there.
func actFiles(dir string) error {
	at := func(name string) string { return filepath.Join(dir, name) }
	vol := at("vol")
	if err := unix.Mount("vol", vol, "tmpfs", 0, ""); err != nil {
		return err
	}
	steps := []func() error{
		func() error { return os.WriteFile(at("a/new"), nil, 0o644) },
		func() error { return openFor(at("w/old"), unix.O_WRONLY) },
		func() error { return openFor(at("r/file"), unix.O_RDONLY) },
		func() error { return os.WriteFile(at("link/x"), nil, 0o644) }, // link leads to vol
		func() error { return unix.Mkdir(at("link/sub"), 0o755) },
		func() error { return unix.Rename(at("a/new"), at("b/renamed")) },
		func() error { return unlinkIn(at("b"), "renamed") },
		func() error { return unix.Chmod(at("c/mode"), 0o600) },
		func() error { return unix.Symlink("nowhere", at("d/link")) },
		func() error { return os.Truncate(at("e/short"), 0) },
		func() error { return sockets(at("vol/socket"), "@advisor-files") },
		func() error { return openFor("/dev/null", unix.O_WRONLY) },
		func() error { return mapToRun(at("script.sh")) },
		func() error { return fails(at("none/file"), at("f")) },
		func() error { return exec.Command(at("script.sh")).Run() },
		func() error { return actMemfd() },
		func() error { return manyDirectories(at("many")) },
	}
	for i, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
	}
	for range 600 {
		if _, err := os.Stat(at("done")); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("nobody made the file that ends this")
}

// mapToRun maps a file to be executed, as a dynamic linker does.
func mapToRun(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = unix.Mmap(int(f.Fd()), 0, 1, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE)
	return err
}

func openFor(path string, flags int) error {
	fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

func unlinkIn(dir, name string) error {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Unlinkat(fd, name, 0)
}

// fails is what leaves nothing.
func fails(missing, existing string) error {
	if err := unix.Unlink(missing); !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("unlink of what is not there: %v", err)
	}
	if err := unix.Mkdir(existing, 0o755); !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("mkdir of what is there: %v", err)
	}
	return nil
}

func sockets(names ...string) error {
	for _, name := range names {
		l, err := net.Listen("unix", name)
		if err != nil {
			return err
		}
		l.(*net.UnixListener).SetUnlinkOnClose(false)
		c, err := net.Dial("unix", name)
		if err != nil {
			return err
		}
		c.Close()
		l.Close()
	}
	return nil
}

// manyDirectories makes more directories, and a file in each, than are kept.
func manyDirectories(dir string) error {
	for i := range 100 {
		sub := filepath.Join(dir, fmt.Sprint(i))
		if err := os.Mkdir(sub, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(sub, "f"), nil, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// actRefused has a filter refuse an openat of one flag and makes one, after some
// calls that are known. It ends by itself where the filter lets it.
func actRefused(action uint32, threads bool) error {
	runtime.LockOSThread()
	if threads {
		go func() {
			runtime.LockOSThread()
			_, _ = os.Stdin.Read(make([]byte, 1))
			select {}
		}()
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	refuse := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_MKNODAT, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: action},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	prog := unix.SockFprog{Len: uint16(len(refuse)), Filter: &refuse[0]}
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0,
		uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return errno
	}
	path := []byte("/tmp/advisor-refused\x00")
	_, _, _ = unix.RawSyscall6(unix.SYS_FACCESSAT, ^uintptr(99), uintptr(unsafe.Pointer(&path[0])), unix.R_OK, 0, 0, 0)
	_, _, _ = unix.RawSyscall6(unix.SYS_MKNODAT, ^uintptr(99), uintptr(unsafe.Pointer(&path[0])),
		unix.S_IFREG|0o600, 7, 0, 0)
	return nil
}
