package monitor

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"advisor/fixtures/bed"
	"advisor/trace"
)

// Tags of the containers of a storm, beside its namespaces, which begin at 0.
const runcTags, crunTags = 1_000_000, 2_000_000

// TestStorm makes 200 namespaces a second and, beside them, containers of runc and
// crun as fast as they can be started, for five seconds or for
// ADVISOR_STORM_SECONDS. Who starts them counts them, and each makes a call of its
// own. All are in the trace, each with all it did, or their loss is counted and
// they are marked. The recorder is a process of its own, whose memory and time are
// told.
func TestStorm(t *testing.T) {
	bed.Require(t, "runc", "crun")
	seconds, err := strconv.Atoi(cmp.Or(os.Getenv("ADVISOR_STORM_SECONDS"), "5"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "trace.log")
	recorder, said := startRecorder(t, path)
	began := time.Now()
	started := storm(t, seconds)
	took := time.Since(began)
	if err := recorder.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	losses := <-said
	if err := recorder.Wait(); err != nil {
		t.Fatalf("recording: %v", err)
	}
	got := recorded{records: read(t, path)}
	end := got.records[len(got.records)-1].(*trace.End)
	used := recorder.ProcessState.SysUsage().(*syscall.Rusage)
	t.Logf("%s, recorder: %s of CPU, at most %d MiB; %d records, %d lost %s", took.Round(time.Millisecond),
		(recorder.ProcessState.UserTime() + recorder.ProcessState.SystemTime()).Round(time.Millisecond),
		used.Maxrss>>10, end.Records, end.Lost, losses)
	missing := 0
	for kind, n := range started {
		found, whole := kind.check(t, got, n)
		t.Logf("%s: %d started, %d found, %d whole", kind.name, n, found, whole)
		missing += n - min(found, whole)
		if n == 0 {
			t.Errorf("%s: none was started", kind.name)
		}
	}
	marked := incomplete(got)
	if missing > 0 && (end.Complete != trace.CompleteFalse || end.Lost == 0 || marked < missing) {
		t.Errorf("%d are not whole, %d are marked; complete %s, %d lost", missing, marked, end.Complete, end.Lost)
	}
	if missing == 0 && end.Complete != trace.CompleteTrue {
		t.Logf("something else was lost")
	}
}

// incomplete counts the containers that are marked so.
func incomplete(got recorded) int {
	ids := make(map[string]bool)
	for _, rec := range got.records {
		if c, ok := rec.(*trace.Container); ok && slices.Contains(c.Flags, trace.FlagIncomplete) {
			ids[c.ID] = true
		}
	}
	return len(ids)
}

// startRecorder starts one, and waits until it is ready; said is what it says
// after that.
func startRecorder(t *testing.T, path string) (cmd *exec.Cmd, said <-chan string) {
	t.Helper()
	args := self(t, "record", path, "", "0")
	cmd = exec.Command(args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "ready" {
		t.Fatalf("the recorder says %q", lines.Text())
	}
	all := make(chan string, 1)
	go func() {
		var text []string
		for lines.Scan() {
			text = append(text, lines.Text())
		}
		all <- strings.Join(text, "; ")
	}()
	return cmd, all
}

// stormKind is one kind of what a storm starts.
type stormKind struct {
	name  string
	first int // tag
	calls []uintptr
}

// storm starts everything, and returns how many of each kind.
func storm(t *testing.T, seconds int) map[*stormKind]int {
	started := make(map[*stormKind]int)
	var mu sync.Mutex
	var wait sync.WaitGroup
	add := func(k stormKind, n int) {
		mu.Lock()
		defer mu.Unlock()
		started[&k] = n
	}
	wait.Go(func() {
		args := self(t, "rate", strconv.Itoa(seconds))
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Errorf("making namespaces: %v: %s", err, out)
		}
		add(stormKind{"namespaces", 0, forkCalls()}, seconds*perSecond)
	})
	deadline := time.Now().Add(time.Duration(seconds) * time.Second)
	for program, first := range map[string]int{"runc": runcTags, "crun": crunTags} {
		dir := bundle(t, "true")
		wait.Go(func() {
			n := 0
			for ; time.Now().Before(deadline) && !t.Failed(); n++ {
				runTagged(t, program, dir, first+n)
			}
			add(stormKind{program, first, []uintptr{unix.SYS_EXECVE, unix.SYS_EXIT_GROUP}}, n)
		})
	}
	wait.Wait()
	return started
}

// runTagged runs a container that makes the call of its tag.
func runTagged(t *testing.T, program, dir string, tag int) {
	exe, err := os.Executable()
	if err != nil {
		t.Error(err)
		return
	}
	own := filepath.Join(dir, strconv.Itoa(tag))
	err = rewrite(filepath.Join(dir, "config.json"), filepath.Join(own, "config.json"), func(spec map[string]any) {
		spec["root"].(map[string]any)["path"] = filepath.Join(dir, "rootfs")
		spec["process"].(map[string]any)["args"] = []string{"/tmp/act", "act", "call", strconv.Itoa(tagged + tag)}
		spec["mounts"] = append(spec["mounts"].([]any), map[string]any{
			"destination": "/tmp/act", "type": "bind", "source": exe, "options": []string{"bind", "ro"},
		})
	})
	if err != nil {
		t.Error(err)
		return
	}
	defer os.RemoveAll(own)
	if err := os.WriteFile(filepath.Join(dir, "rootfs/tmp/act"), nil, 0o700); err != nil {
		t.Error(err)
		return
	}
	name := fmt.Sprintf("advisor-storm-%d-%d", os.Getpid(), tag)
	run := ociRun(program, "--root", filepath.Join(dir, "state"), "run", "--bundle", own, name)
	if out, err := run.CombinedOutput(); err != nil {
		t.Errorf("%s: %v: %s", program, err, out)
	}
}

// ociRun is the command line of a runtime. crun refuses machines where a
// controller is on the unified cgroup tree of a hybrid host.
func ociRun(program string, args ...string) *exec.Cmd {
	const unified = "/sys/fs/cgroup/unified"
	if _, err := os.Stat(unified); err != nil || program != "crun" {
		return exec.Command(program, args...)
	}
	return exec.Command("unshare", append([]string{"-m", "sh", "-c",
		"umount " + unified + ` && exec crun "$@"`, "crun"}, args...)...)
}

// rewrite copies a bundle's configuration, changed.
func rewrite(from, to string, change func(spec map[string]any)) error {
	raw, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var spec map[string]any
	if err := json.Unmarshal(raw, &spec); err != nil {
		return err
	}
	change(spec)
	if raw, err = json.Marshal(spec); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return os.WriteFile(to, raw, 0o600)
}
