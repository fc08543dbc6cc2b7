package monitor

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"advisor/monitor/container"
	"advisor/trace"
)

// TestLeastPrivilege records with the documented capabilities and no others, as
// root and as a user, and keeps of them what it says it keeps, in every thread.
func TestLeastPrivilege(t *testing.T) {
	if err := privileged(Options{}); err != nil {
		skipOrFail(t, err)
	}
	for _, root := range []bool{true, false} {
		t.Run(fmt.Sprintf("root %t", root), func(t *testing.T) {
			dir, err := os.MkdirTemp("/tmp", "advisor-least-")
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			if err := os.Chmod(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "trace.log")
			sets := recordLeast(t, path, root)
			want := documentedSet(t)
			for _, set := range sets {
				if got := "=" + set; !strings.EqualFold(got, mask(want)) {
					t.Errorf("a thread holds %s, want %s", got, mask(want))
				}
			}
			if len(sets) < 3 {
				t.Errorf("%d threads: too few to tell", len(sets))
			}
			sawTrue(t, read(t, path))
		})
	}
}

func sawTrue(t *testing.T, records []trace.Record) {
	t.Helper()
	if !slices.ContainsFunc(records, func(rec trace.Record) bool {
		c, ok := rec.(*trace.Syscall)
		return ok && c.Name == "exit_group" && filepath.Base(c.Exe) == "true"
	}) {
		t.Error("a container is missing")
	}
	end, ok := records[len(records)-1].(*trace.End)
	if !ok || end.Complete != trace.CompleteTrue {
		t.Errorf("it ends with %+v", records[len(records)-1])
	}
	header := records[0].(*trace.Header)
	for _, probe := range []string{header.Probes.Syscalls, header.Probes.Capabilities, header.Probes.Network} {
		if strings.Contains(probe, "off") || strings.Contains(probe, "no UDP") {
			t.Errorf("probes %+v", header.Probes)
		}
	}
}

// recordLeast records a container, and returns what each thread was permitted by
// then.
func recordLeast(t *testing.T, path string, root bool) (permitted []string) {
	t.Helper()
	cmd := withCapabilities(t, documented(), root, "least", path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		switch line := lines.Text(); {
		case line == "dropped":
			if err := exec.Command("unshare", "-m", "true").Run(); err != nil {
				t.Error(err)
			}
			in.Close()
		default:
			permitted = append(permitted, line)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	return permitted
}

// actLeast records until its input ends. When it has given up what it does not
// need it says what each of its threads still may have.
func actLeast(path string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	said := false
	_, err := Run(ctx, Options{
		Output: path, Drop: true, Selection: container.Selection{Host: true},
		Status: func(Status) {
			if said {
				return
			}
			said = true
			sayPermitted()
			fmt.Println("dropped")
			go func() {
				_ = awaitStep()
				cancel()
			}()
		},
	})
	return err
}

func sayPermitted() {
	files, _ := filepath.Glob("/proc/self/task/*/status")
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		for line := range strings.Lines(string(raw)) {
			if set, ok := strings.CutPrefix(line, "CapPrm:"); ok {
				fmt.Println(strings.TrimSpace(set))
			}
		}
	}
}
