package container

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// versions asks runc and crun for theirs, once each.
type versions struct {
	mu    sync.Mutex
	known map[string]string
}

// version names the low-level runtime, with its version where the program is
// in one of the system's own places.
func (q *query) version() {
	switch oci := filepath.Base(q.kept.oci); oci {
	case Runc, Crun:
		q.c.OCI = q.versions.of(oci)
	}
}

func (v *versions) of(name string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if known, ok := v.known[name]; ok {
		return known
	}
	v.known[name] = name
	for _, dir := range []string{
		"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin",
	} {
		path := filepath.Join(dir, name)
		if !rootsOwn(path) {
			continue
		}
		if number := askVersion(path); number != "" {
			v.known[name] = name + " " + number
		}
		break
	}
	return v.known[name]
}

func askVersion(path string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.Env = []string{}
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return parseVersion(string(out))
}

// parseVersion reads the first line of "runc version 1.1.5+ds1" and of
// "crun version 1.8.1"; what distributions append after a plus is left out.
func parseVersion(out string) string {
	line, _, _ := strings.Cut(out, "\n")
	_, number, ok := strings.Cut(line, " version ")
	if !ok {
		return ""
	}
	number, _, _ = strings.Cut(strings.TrimSpace(number), "+")
	return clean(number, 32)
}

// rootsOwn tells whether only root may write the program.
func rootsOwn(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o022 != 0 {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Uid == 0
}
