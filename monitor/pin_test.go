package monitor

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"advisor/monitor/container"
	"advisor/trace"
	"time"
)

// TestKilledRecorder kills a recorder, runs a container meanwhile, and takes the
// recording up: nothing of it is missing.
func TestKilledRecorder(t *testing.T) {
	if err := privileged(Options{}); err != nil {
		skipOrFail(t, err)
	}
	pin := filepath.Join(filepath.Dir(PinFolder), "advisor-test-"+strconv.Itoa(os.Getpid()))
	args := self(t, "record", filepath.Join(t.TempDir(), "first.log"), pin)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the recorder says %q: %v", line, err)
	}
	defer Cleanup(pin)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if err := exec.Command("unshare", "-m", "true").Run(); err != nil {
		t.Fatal(err)
	}
	got := run(t, t.Context(), Options{
		Pin: pin, Resume: true, Duration: time.Second, Selection: container.Selection{Host: true},
	})
	if !slices.ContainsFunc(got.records, func(rec trace.Record) bool {
		c, ok := rec.(*trace.Syscall)
		return ok && c.Name == "exit_group" && filepath.Base(c.Exe) == "true"
	}) {
		t.Error("what ran while no recorder was there is missing")
	}
	if _, err := os.Stat(pin); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a recording that ended in order left %s: %v", pin, err)
	}
}
