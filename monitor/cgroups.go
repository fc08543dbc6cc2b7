package monitor

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// errNoTree says that the unified cgroup tree is not mounted.
var errNoTree = errors.New("the unified cgroup tree is not mounted")

// cgroup2 is where the unified cgroup tree is mounted. Every task is in it, on
// hosts that use the older trees too.
func cgroup2() (string, error) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return "", fmt.Errorf("looking for the unified cgroup tree: %w", err)
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "cgroup2" {
			return f[1], nil
		}
	}
	return "", errNoTree
}

// unifiedTree is a path to the unified cgroup tree, good until done is called.
// Hosts with the older trees alone have it too: where nobody has mounted it, it is
// mounted in no directory, where nobody else sees it.
func unifiedTree() (root string, done func(), err error) {
	root, err = cgroup2()
	if !errors.Is(err, errNoTree) {
		return root, func() {}, err
	}
	fd, mountErr := mountCgroup2()
	if mountErr != nil {
		return "", func() {}, fmt.Errorf("%w, and mounting it: %w", err, mountErr)
	}
	return fmt.Sprintf("/proc/self/fd/%d", fd), func() { unix.Close(fd) }, nil
}

// mountCgroup2 returns a descriptor of a mount that is attached nowhere. It takes
// Linux 5.2 and CAP_SYS_ADMIN.
func mountCgroup2() (int, error) {
	fs, err := unix.Fsopen("cgroup2", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return 0, fmt.Errorf("opening cgroup2: %w", err)
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		return 0, fmt.Errorf("creating cgroup2: %w", err)
	}
	fd, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("mounting cgroup2: %w", err)
	}
	return fd, nil
}
