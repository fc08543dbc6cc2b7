package caps

import (
	"testing"

	"advisor/policies"
)

// TestRanFiltered names the engine's own profile where it was in force and did not
// stand in the way: clone3 with ENOSYS is no need, and EPERM may be one.
func TestRanFiltered(t *testing.T) {
	for _, tt := range []struct {
		name, action, want string
	}{
		{"nothing was refused", "", "RuntimeDefault"},
		{"as an older kernel", "ENOSYS", "RuntimeDefault"},
		{"a refusal", "EPERM", ""},
		{"a signal", "SIGSYS", ""},
	} {
		o := nginx()
		if tt.action != "" {
			o.Denied = []policies.Denied{{Arch: "x86_64", Nr: 435, Syscall: "clone3", Action: tt.action}}
		}
		if got := security(o, Synthesis{}, Options{}).SeccompType; got != tt.want {
			t.Errorf("%s: seccompProfile %q, want %q", tt.name, got, tt.want)
		}
	}
}
