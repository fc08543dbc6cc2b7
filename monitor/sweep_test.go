package monitor

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// TestSweep: only what a recorder left that is gone is removed. Another that begins
// in the same moment keeps its cgroup, and who is only called like one.
func TestSweep(t *testing.T) {
	ended := exec.Command("true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	keep := []string{fmt.Sprintf("advisor-%d", os.Getpid()), "advisor-agent.slice", "advisor-", "advisor-0", "advisor--1"}
	for _, name := range append(keep, fmt.Sprintf("advisor-%d", ended.Process.Pid)) {
		if err := os.Mkdir(filepath.Join(root, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	sweep(root)
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if slices.Sort(keep); !slices.Equal(left, keep) {
		t.Errorf("left %q, want %q", left, keep)
	}
}
