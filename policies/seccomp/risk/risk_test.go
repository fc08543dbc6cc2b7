package risk

import (
	"strings"
	"testing"

	"advisor/trace"

	"github.com/google/go-cmp/cmp"
)

func TestOf(t *testing.T) {
	tests := []struct {
		name string
		want Call
	}{
		{"openat", Call{Class: Ordinary, Default: Allowed}},
		{"socketpair", Call{Class: Ordinary, Default: Allowed}}, // not "socket"
		{"reboot", Call{Host, Conditional, "SYS_BOOT", "stops or restarts the machine"}},
		{"io_uring_enter", Call{Surface, Refused, "",
			"asks for operations that no seccomp filter sees"}},
		{"frobnicate", Call{Surface, Unknown, "", "no table here knows this call"}},
		{"", Call{Surface, Unknown, "", "no table here knows this call"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Of(tt.name)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestTable holds that every row names real calls, each once, and says why.
func TestTable(t *testing.T) {
	capabilities := make(map[string]bool)
	for _, name := range trace.Capabilities() {
		capabilities[name] = true
	}
	seen := make(map[string]bool)
	for _, r := range table {
		for _, name := range strings.Fields(r.names) {
			if seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
			if !known(name) {
				t.Errorf("%s: no architecture has it", name)
			}
		}
		if r.Reason == "" {
			t.Errorf("%s: no reason", r.names)
		}
		if r.Capability != "" && (r.Default != Conditional || !capabilities[r.Capability]) {
			t.Errorf("%s: %s by %s", r.names, r.Default, r.Capability)
		}
	}
}

func known(name string) bool {
	for _, arch := range trace.Archs() {
		if _, ok := trace.SyscallNumber(arch, name); ok {
			return true
		}
	}
	return false
}
