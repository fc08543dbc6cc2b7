package seccomp

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"advisor/trace"

	"golang.org/x/sys/unix"
)

// asNobody is set in the process that makes the calls.
const asNobody = "ADVISOR_TEST_AS_NOBODY"

// sometimes are calls of the list that the kernel also lets callers without
// any capability make, or refuses on other grounds first: with some arguments,
// where a sysctl says so, or where the kernel is built so. For them EPERM is
// what Docker's and Podman's profiles have accustomed programs to.
func sometimes() []string {
	return strings.Fields("add_key adjtimex bpf clock_adjtime fanotify_init kcmp keyctl " +
		"lookup_dcookie mbind migrate_pages mknod mknodat modify_ldt move_pages name_to_handle_at " +
		"nfsservctl perf_event_open personality process_vm_readv process_vm_writev ptrace quotactl " +
		"quotactl_fd request_key set_mempolicy setns unshare userfaultfd")
}

// TestPrivilegedCalls makes the calls that profiles refuse with EPERM as a user
// without capabilities: the kernel itself must say EPERM.
func TestPrivilegedCalls(t *testing.T) {
	if os.Getenv(asNobody) != "" {
		json.NewEncoder(os.Stdout).Encode(answers())
		os.Exit(0)
	}
	if os.Geteuid() != 0 {
		missing(t, "root is needed to become nobody")
	}
	// The program stands where nobody may look: it is opened before.
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	cmd := exec.Command("/proc/self/fd/3", "-test.run", "TestPrivilegedCalls")
	cmd.ExtraFiles = []*os.File{self}
	cmd.Env = append(os.Environ(), asNobody+"=1")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for name, errno := range got {
		if errno == int(unix.ENOSYS) {
			t.Logf("%s: the kernel is built without it", name)
			continue
		}
		if errno != int(unix.EPERM) && !slices.Contains(sometimes(), name) {
			t.Errorf("%s: the kernel says %v, the profile EPERM", name, unix.Errno(errno))
		}
	}
}

// answers is what the kernel says to each call.
func answers() map[string]int {
	some := [64]uint64{8} // of a file handle the length
	empty, root := [2]byte{}, [2]byte{'/'}
	p, none, slash := uintptr(unsafe.Pointer(&some)), uintptr(unsafe.Pointer(&empty)), uintptr(unsafe.Pointer(&root))
	args := map[string][5]uintptr{
		"chroot": {slash}, "pivot_root": {slash, slash}, "mount": {slash, slash, none, 0, 0},
		"umount2": {slash}, "clock_settime": {0, p}, "settimeofday": {p}, "iopl": {3},
		"ioperm": {0x80, 1, 1}, "syslog": {5}, "open_by_handle_at": {^uintptr(99), p, 0},
		"sethostname": {none, 0}, "setdomainname": {none, 0}, "kexec_load": {0, 0, 0, 0},
		"swapon": {slash}, "swapoff": {slash}, "init_module": {p, 8, none},
		"delete_module": {slash}, "acct": {0},
	}
	got := map[string]int{}
	for _, name := range strings.Fields(privileged) {
		nr, ok := trace.SyscallNumber(trace.ArchX8664, name)
		if !ok || name == "ptrace" {
			continue
		}
		a := args[name]
		_, _, errno := unix.Syscall6(uintptr(nr), a[0], a[1], a[2], a[3], a[4], 0)
		got[name] = int(errno)
	}
	return got
}
