package monitor

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"advisor/fixtures/bed"
	"advisor/trace"
)

// bundle makes an OCI bundle of the host's /usr that runs script under a filter.
func bundle(t *testing.T, script string) string {
	t.Helper()
	dir := t.TempDir()
	root := filepath.Join(dir, "rootfs")
	for _, d := range []string{"usr", "proc", "dev", "sys", "tmp", "etc"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, link := range []string{"bin", "sbin", "lib", "lib64"} {
		if err := os.Symlink("usr/"+link, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	spec := exec.Command("runc", "spec")
	spec.Dir = dir
	if out, err := spec.CombinedOutput(); err != nil {
		bed.Skip(t, "needs runc: %v: %s", err, out)
	}
	edit(t, filepath.Join(dir, "config.json"), script)
	return dir
}

func edit(t *testing.T, path, script string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var spec map[string]any
	if err := json.Unmarshal(raw, &spec); err != nil {
		t.Fatal(err)
	}
	process := spec["process"].(map[string]any)
	process["terminal"], process["args"] = false, []string{"sh", "-c", script}
	spec["mounts"] = append(spec["mounts"].([]any), map[string]any{
		"destination": "/usr", "type": "bind", "source": "/usr", "options": []string{"rbind", "ro"},
	})
	spec["linux"].(map[string]any)["seccomp"] = map[string]any{
		"defaultAction": "SCMP_ACT_ALLOW",
		"syscalls": []any{map[string]any{
			"names": []string{"keyctl"}, "action": "SCMP_ACT_ERRNO",
		}},
	}
	if raw, err = json.Marshal(spec); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
}

// runMany runs n containers of one bundle, four at a time.
func runMany(t *testing.T, dir, prefix string, n int) {
	var wg sync.WaitGroup
	next := make(chan int)
	for range 4 {
		wg.Go(func() {
			for i := range next {
				runNamed(t, dir, fmt.Sprintf("%s%d", prefix, i))
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}

// TestShortContainers runs containers of a few milliseconds under runc. All are
// found under their names, with the very same calls, their runtime's start under
// the filter, and their exit code.
func TestShortContainers(t *testing.T) {
	const n = 24
	dir := bundle(t, "ls -l / >/dev/null; exit 7")
	prefix := fmt.Sprintf("advisor-test-%d-", os.Getpid())
	ctx, cancel := context.WithCancel(t.Context())
	got := run(t, ctx, Options{Ready: func(Status) {
		go func() {
			defer cancel()
			runMany(t, dir, prefix, n)
		}()
	}})
	var first []string
	for i := range n {
		name := fmt.Sprintf("%s%d", prefix, i)
		list := of[*trace.Syscall](got, name)
		calls := called(list, trace.PhaseRun)
		if first == nil {
			first = calls
		}
		if len(calls) < 20 || !slices.Equal(calls, first) {
			t.Errorf("%s: calls %v, want %v", name, calls, first)
		}
		if !slices.ContainsFunc(list, func(c *trace.Syscall) bool {
			return c.Phase == trace.PhaseStart && c.Filtered && c.Name == "execve"
		}) {
			t.Errorf("%s: no execve of the runtime under the filter", name)
		}
		if exits := of[*trace.Exit](got, name); len(exits) != 1 || exits[0].Code == nil || *exits[0].Code != 7 {
			t.Errorf("%s: exits %+v, want one with code 7", name, exits)
		}
	}
}
