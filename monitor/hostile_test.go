package monitor

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"advisor/fixtures/bed"
	"advisor/trace"
)

// hostileName is what a container may be called by who wants to write to
// somebody's terminal, to end a line, or to fill memory.
const hostileName = "x\x1b[2J\n{\"type\":\"end\"}\x00\u202e"

// TestHostileContainer records a container that lies wherever it can: links out
// of its root, annotations and labels of a megabyte, control characters in names,
// cgroups below cgroups. The trace reads, holds nothing of the host, and is whole.
func TestHostileContainer(t *testing.T) {
	bed.Require(t, "runc")
	dir := bundle(t, `exec bash -c 'exec -a "$(printf "\033]0;owned\007")" sleep 2'`)
	secret := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(secret, []byte("nameserver 203.0.113.77\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	lie(t, dir, secret)
	name := fmt.Sprintf("advisor-hostile-%d", os.Getpid())
	ctx, cancel := context.WithCancel(t.Context())
	got := run(t, ctx, Options{Ready: func(Status) {
		go func() {
			defer cancel()
			cmd := exec.Command("runc", "run", name)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("running a container: %v: %s", err, out)
			}
		}()
	}})
	containers := of[*trace.Container](got, name)
	if len(containers) == 0 || got.Complete != trace.CompleteTrue {
		t.Fatalf("%d containers of that name, complete %s, %v", len(containers), got.Complete, got.Losses)
	}
	for _, c := range containers {
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "203.0.113.77") {
			t.Error("what a link out of the container leads to is in the trace")
		}
		if len(text) > 64<<10 {
			t.Errorf("%d bytes of a container's own words", len(text))
		}
		for _, said := range []string{c.Name, c.Image, c.Command} {
			if strings.ContainsFunc(said, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%q is not printable", said)
			}
		}
	}
	if exits := of[*trace.Exit](got, name); len(exits) != 1 || time.Since(exits[0].Time) > time.Hour {
		t.Errorf("exits %+v", exits)
	}
}

// lie makes the bundle hostile: what its image, or who may only choose
// annotations and names, decides.
func lie(t *testing.T, dir, secret string) {
	t.Helper()
	path := filepath.Join(dir, "config.json")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var spec map[string]any
	if err := json.Unmarshal(raw, &spec); err != nil {
		t.Fatal(err)
	}
	spec["annotations"] = map[string]string{
		"org.opencontainers.image.ref.name": hostileName + strings.Repeat("i", 1<<20),
		"io.kubernetes.pod.name":            hostileName,
		"advisor":                           strings.Repeat("y", 1<<20),
	}
	spec["root"] = map[string]any{"path": "rootfs"}
	if raw, err = json.Marshal(spec); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(dir, "rootfs", "etc")
	if err := os.Symlink(secret, filepath.Join(root, "resolv.conf")); err != nil {
		t.Fatal(err)
	}
}
