//go:build libseccomp

package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCompareTellsOfTheProgram has a change that the rules do not make and the
// program that libseccomp compiles does.
func TestCompareTellsOfTheProgram(t *testing.T) {
	const profile = `{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [
	 {"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]},
	 {"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 2, "op": "SCMP_CMP_FIRST"},
	  {"index": 1, "value": 0, "op": "SCMP_CMP_EQ"}]}]}`
	load := func(op string) Manifests {
		file := filepath.Join(t.TempDir(), "p.json")
		if err := os.WriteFile(file, []byte(strings.Replace(profile, "SCMP_CMP_FIRST", op, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		m, err := LoadManifests([]string{file}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	list, err := CompareManifests(load("SCMP_CMP_EQ"), load("SCMP_CMP_NE"), Comparison{Kinds: []string{KindSeccomp}})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		if d.Effect == Looser && strings.Contains(d.Change, "as libseccomp compiles it; by the rules ERRNO EPERM → ERRNO EPERM") {
			return
		}
	}
	t.Errorf("the program lets more pass than the rules, and nothing says so: %+v", list)
}
