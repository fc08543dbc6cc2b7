package trace_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"advisor/trace"
)

func TestSyscallNames(t *testing.T) {
	tests := []struct {
		arch string
		nr   int
		want string
	}{
		{"x86_64", 0, "read"},
		{"x86_64", 59, "execve"},
		{"x86_64", 156, "_sysctl"},
		{"x86_64", 462, "mseal"},
		{"x86_64", 512, ""},
		{"i386", 0, "restart_syscall"},
		{"i386", 102, "socketcall"},
		{"x32", 0, "read"},
		{"x32", 59, ""},
		{"x32", 520, "execve"},
		{"x32", 547, "pwritev2"},
		{"x32", 452, "fchmodat2"},
		{"x32", 335, ""},
		{"x32", 453, ""},
		{"aarch64", 221, "execve"},
		{"aarch64", 244, ""},
		{"aarch64", 79, "newfstatat"},
		{"arm", 0, "restart_syscall"},
		{"arm", 341, "arm_sync_file_range"},
		{"arm", 983045, "set_tls"},
		{"vax", 1, ""},
		{"x86_64", -1, ""},
	}
	for _, tt := range tests {
		if got := trace.SyscallName(tt.arch, tt.nr); got != tt.want {
			t.Errorf("SyscallName(%q, %d) = %q, want %q", tt.arch, tt.nr, got, tt.want)
		}
	}
}

// TestTablesRoundTrip holds each table's two orders against one another.
func TestTablesRoundTrip(t *testing.T) {
	for _, arch := range trace.Archs() {
		names := trace.Syscalls(arch)
		if len(names) < 300 || !slices.IsSorted(names) {
			t.Errorf("%s: %d names, sorted: %v", arch, len(names), slices.IsSorted(names))
		}
		for _, name := range names {
			nr, ok := trace.SyscallNumber(arch, name)
			if got := trace.SyscallName(arch, nr); !ok || got != name {
				t.Errorf("%s: %s is %d, which is %q", arch, name, nr, got)
			}
		}
	}
}

func TestMaxSyscall(t *testing.T) {
	got := map[string]int{"vax": trace.MaxSyscall("vax")}
	for _, arch := range trace.Archs() {
		got[arch] = trace.MaxSyscall(arch)
	}
	want := map[string]int{
		"aarch64": 471, "arm": 471, "i386": 471, "vax": -1, "x32": 547, "x86_64": 471,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("highest numbers (-want +got):\n%s", diff)
	}
}

func TestSyscallNumberUnknown(t *testing.T) {
	for _, c := range [][2]string{{"x86_64", "socketcall"}, {"i386", ""}, {"vax", "read"}} {
		if nr, ok := trace.SyscallNumber(c[0], c[1]); ok {
			t.Errorf("SyscallNumber(%q, %q) = %d", c[0], c[1], nr)
		}
	}
}

func TestCapabilities(t *testing.T) {
	if got := len(trace.Capabilities()); got != 41 {
		t.Errorf("%d capabilities, want 41", got)
	}
	for nr, want := range map[int]string{
		0: "CHOWN", 13: "NET_RAW", 21: "SYS_ADMIN", 40: "CHECKPOINT_RESTORE", 41: "",
	} {
		if got := trace.CapabilityName(nr); got != want {
			t.Errorf("CapabilityName(%d) = %q, want %q", nr, got, want)
		}
	}
	for _, name := range []string{"NET_RAW", "CAP_NET_RAW", "cap_net_raw"} {
		if nr, ok := trace.CapabilityNumber(name); nr != 13 || !ok {
			t.Errorf("CapabilityNumber(%q) = %d, %v", name, nr, ok)
		}
	}
	if nr, ok := trace.CapabilityNumber("ALL"); ok {
		t.Errorf("CapabilityNumber(ALL) = %d", nr)
	}
}

func TestErrnos(t *testing.T) {
	for nr, want := range map[int]string{
		1: "EPERM", 11: "EAGAIN", 35: "EDEADLK", 38: "ENOSYS", 95: "EOPNOTSUPP",
		133: "EHWPOISON", 512: "ERESTARTSYS", 4000: "4000",
	} {
		if got := trace.ErrnoName(nr); got != want {
			t.Errorf("ErrnoName(%d) = %q, want %q", nr, got, want)
		}
	}
	for name, want := range map[string]int{
		"EPERM": 1, "EWOULDBLOCK": 11, "EDEADLOCK": 35, "ENOTSUP": 95, "EOPNOTSUPP": 95,
	} {
		if got, ok := trace.ErrnoNumber(name); got != want || !ok {
			t.Errorf("ErrnoNumber(%q) = %d, %v, want %d", name, got, ok, want)
		}
	}
	if nr, ok := trace.ErrnoNumber("EBOGUS"); ok {
		t.Errorf("ErrnoNumber(EBOGUS) = %d", nr)
	}
}
