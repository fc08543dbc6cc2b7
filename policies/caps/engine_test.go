package caps

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestResolve(t *testing.T) {
	default9 := "CHOWN DAC_OVERRIDE FOWNER FSETID KILL NET_BIND_SERVICE SETGID SETPCAP SETUID"
	tests := []struct {
		engine, add, drop, want string // want "!" for an error
	}{
		{"cri-o", "", "", default9},
		{"kubernetes", "CHOWN", "ALL", "CHOWN"},
		{"kubernetes", "CHOWN", "ALL CHOWN", ""},
		{"docker", "CHOWN", "ALL CHOWN", "CHOWN"},
		{"podman", "CHOWN", "CHOWN", "!"},
		{"podman", "ALL", "ALL", "!"},
		{"podman", "CHOWN", "ALL", "CHOWN"},
		{"kubernetes", "CAP_CHOWN", "ALL", "!"},
		{"docker", "cap_chown", "all", "CHOWN"},
		{"cri-o", "CAP_CHOWN", "ALL", "CHOWN"},
		{"kubernetes", "NOPE", "", "!"},
		{"kubernetes", "ALL SYS_ADMIN", "ALL", "SYS_ADMIN"},
		{"cri-o", "SYS_ADMIN", "", default9 + " SYS_ADMIN"},
		{"podman", "", "", default9 + " SETFCAP SYS_CHROOT"},
	}
	for _, tt := range tests {
		e, err := engineOf(tt.engine)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Resolve(strings.Fields(tt.add), strings.Fields(tt.drop))
		want := sorted(strings.Fields(tt.want))
		if tt.want == "!" {
			if err == nil {
				t.Errorf("%s add %q drop %q: %v, want an error", tt.engine, tt.add, tt.drop, got)
			}
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s add %q drop %q: %v (-want +got)\n%s", tt.engine, tt.add, tt.drop, err, diff)
		}
	}
}

// TestAllIsIgnoredByDockersAdd: docker looks at ALL of add first, and then drops
// by name, of which ALL is none.
func TestAllIsIgnoredByDockersAdd(t *testing.T) {
	e, _ := engineOf("docker")
	got, err := e.Resolve([]string{"ALL"}, []string{"ALL", "CHOWN"})
	if err != nil || len(got) != 40 {
		t.Errorf("%d capabilities, %v", len(got), err)
	}
}

func TestDefaults(t *testing.T) {
	for name, want := range map[string]int{"containerd": 14, "cri-o": 9, "docker": 14, "podman": 11} {
		e, _ := engineOf(name)
		if len(e.Defaults) != want {
			t.Errorf("%s has %d defaults, want %d", name, len(e.Defaults), want)
		}
	}
}
