package seccomp

import (
	"testing"

	"advisor/policies"
	"advisor/trace"
)

// TestRefusedWhileRecording: what a filter refused is refused with the same
// errno, except a call that has a fallback, which gets ENOSYS.
func TestRefusedWhileRecording(t *testing.T) {
	o := observation(trace.ArchX8664, "read", "write", "execve", "exit_group")
	for _, name := range []string{"clone3", "getpriority"} {
		nr, _ := trace.SyscallNumber(trace.ArchX8664, name)
		o.Denied = append(o.Denied, policies.Denied{
			Arch: trace.ArchX8664, Nr: nr, Syscall: name, Action: "EPERM",
		})
	}
	s, err := Synthesize(o, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if p := prove(t, s, o, Options{}); !p.OK() {
		t.Errorf("the proof fails: %v", p.Failed)
	}
	for name, want := range map[string]uint{"clone3": eNOSYS, "getpriority": ePERM} {
		nr, _ := trace.SyscallNumber(trace.ArchX8664, name)
		v := Evaluate(s.Profile, Context{}, Point{Arch: trace.ArchX8664, Nr: nr})
		if v.Errno != want {
			t.Errorf("%s is refused with %d, want %d", name, v.Errno, want)
		}
	}
}
