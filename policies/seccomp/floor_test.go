package seccomp

import (
	"slices"
	"strings"
	"testing"

	"advisor/trace"
)

// TestFloorsOnARM: the calls of the floors were seen on x86_64. For aarch64 they
// stand only as long as it has each of them under that name.
func TestFloorsOnARM(t *testing.T) {
	for _, runtime := range []string{Runc, Crun} {
		for _, name := range Floor(runtime, "", false) {
			if _, ok := trace.SyscallNumber(trace.ArchAarch64, name); !ok {
				t.Errorf("%s: aarch64 has no %s: what does it call instead?", runtime, name)
			}
		}
	}
}

// TestFloorsOf32Bits: what a 32-bit runtime calls instead are calls that arm has. Of
// those with two names it was seen to make the one or the other.
func TestFloorsOf32Bits(t *testing.T) {
	for _, runtime := range []string{Runc, Crun} {
		for _, name := range Floor32(runtime, "", false) {
			if _, ok := trace.SyscallNumber(trace.ArchArm, name); !ok {
				t.Errorf("%s: arm has no %s: what does it call instead?", runtime, name)
			}
		}
	}
	// As they were recorded on Debian's armhf, runc 1.1.5 and crun 1.8.1.
	for runtime, names := range map[string]string{
		Crun: "capset close execve prctl rt_sigaction rt_sigprocmask setresgid32 setresuid32 write",
		Runc: "capget capset chdir close epoll_ctl execve faccessat2 fcntl64 fstat64 fstatat64 fstatfs64 futex getcwd " +
			"getdents64 getpid getppid openat prctl read rt_sigreturn setgid32 setgroups32 setuid32 stat64 write",
	} {
		for _, name := range strings.Fields(names) {
			if !slices.Contains(Floor32(runtime, "", false), name) {
				t.Errorf("%s of 32 bits calls %s, which is not in its floor", runtime, name)
			}
		}
	}
}

// TestRuntimeOf32Bits: who ran the workload is told by what was called before it.
func TestRuntimeOf32Bits(t *testing.T) {
	for _, phase := range []trace.Phase{trace.PhaseRun, trace.PhaseStart} {
		o := observation(trace.ArchArm, "execve", "mmap2")
		for i := range o.Syscalls {
			o.Syscalls[i].Phase, o.Syscalls[i].Filtered = phase, true
		}
		allowed := synthesize(t, o, Options{}).Profile.Rules[0].Names
		if got := slices.Contains(allowed, "setgroups32") && slices.Contains(allowed, "futex_time64"); got != (phase == trace.PhaseStart) {
			t.Errorf("seen in phase %s: a 32-bit runtime's calls are allowed: %t", phase, got)
		}
	}
}

func TestFloorsOfOtherVersions(t *testing.T) {
	for _, tt := range []struct{ version, same string }{
		{"0.1.1", "1.0.3"}, {"1.0.0-rc93", "1.0.3"}, {"1.1.12", "1.1.5"}, {"1.2.0", "1.2.9"}, {"9", "1.5.1"},
	} {
		for _, late := range []bool{false, true} {
			if a, b := Floor(Runc, tt.version, late), Floor(Runc, tt.same, late); !slices.Equal(a, b) {
				t.Errorf("runc %s: %v, want those of %s", tt.version, a, tt.same)
			}
		}
	}
	if len(Floor(Crun, "0.21", false)) == 0 {
		t.Error("crun 0.21 has no floor")
	}
}

func TestUnusualRuntimes(t *testing.T) {
	if _, err := Synthesize(web(), Options{Runtime: "runc latest"}); err == nil || !strings.Contains(err.Error(), "not a version") {
		t.Errorf("got %v", err)
	}
	s := synthesize(t, web(), Options{Runtime: "runc 0.1.1"})
	if !strings.Contains(strings.Join(s.Notes, "\n"), "older than any that was measured") {
		t.Errorf("notes %q", s.Notes)
	}
	arm := synthesize(t, observation(trace.ArchAarch64, "read"), Options{})
	if !strings.Contains(strings.Join(arm.Notes, "\n"), "on aarch64 of runc 1.1.5 and crun 1.8.1 only") {
		t.Errorf("notes %q", arm.Notes)
	}
}
