package monitor

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkStart is how long it takes until everything is recorded: in a process
// that runs, and from the start of one until it says ready.
func BenchmarkStart(b *testing.B) {
	if err := privileged(Options{}); err != nil {
		skipOrFail(b, err)
	}
	const rounds = 7
	advisor := build(b)
	var inside, whole []float64
	for range rounds {
		begin := time.Now()
		p, _, err := open(Options{})
		if err != nil {
			skipOrFail(b, err)
		}
		inside = append(inside, float64(time.Since(begin))/1e6)
		if err := p.close(); err != nil {
			b.Error(err)
		}
		begin = time.Now()
		r := startMonitor(b, advisor)
		whole = append(whole, float64(time.Since(begin))/1e6)
		r.stop(b)
	}
	b.ReportMetric(median(inside), "load-and-attach-ms")
	b.ReportMetric(median(whole), "process-to-ready-ms")
	b.ReportMetric(0, "ns/op")
}

// build makes the program as users have it, with the tags of this one.
func build(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "advisor")
	cmd := exec.Command("go", "build", "-trimpath", "-tags", tags(), "-o", path, "../cmd/advisor")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("building: %v\n%s", err, out)
	}
	return path
}

// tags are those this program was built with.
func tags() string {
	info, _ := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if s.Key == "-tags" {
			return s.Value
		}
	}
	return ""
}

// running is a recorder in a process of its own.
type running struct {
	cmd  *exec.Cmd
	said *bufio.Reader
	path string // of the trace
}

// startMonitor starts one and waits until it is ready.
func startMonitor(b *testing.B, advisor string, args ...string) *running {
	b.Helper()
	path := filepath.Join(b.TempDir(), "trace.log")
	cmd := exec.Command(advisor, append([]string{"monitor", "--force", "-o", path}, args...)...)
	out, err := cmd.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	r := &running{cmd, bufio.NewReader(out), path}
	var said strings.Builder
	for {
		line, err := r.said.ReadString('\n')
		said.WriteString(line)
		if strings.Contains(line, "ready") {
			return r
		}
		if err != nil {
			b.Fatalf("the recorder ended: %v\n%s", cmd.Wait(), said.String())
		}
	}
}

func (r *running) stop(b *testing.B) {
	b.Helper()
	_ = r.cmd.Process.Signal(unix.SIGINT)
	_, _ = r.said.WriteTo(new(bytes.Buffer))
	if err := r.cmd.Wait(); err != nil {
		b.Error(err)
	}
}

// resident is the memory of the process, what of it is not the pages of files
// (its program's, mostly) and the most it ever had, in MB.
func (r *running) resident(b *testing.B) (now, own, peak float64) {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		var kB float64
		if n, _ := fmt.Sscanf(line, "VmRSS: %f", &kB); n == 1 {
			now = kB * 1024 / 1e6
		}
		if n, _ := fmt.Sscanf(line, "VmHWM: %f", &kB); n == 1 {
			peak = kB * 1024 / 1e6
		}
		if n, _ := fmt.Sscanf(line, "RssAnon: %f", &kB); n == 1 {
			own = kB * 1024 / 1e6
		}
	}
	return now, own, peak
}

// residentLimit is what the recorder may take with a thousand containers, in MB.
const residentLimit = 40

// BenchmarkThousandContainers is the memory of the recorder while a thousand
// containers are there and all their facts are written.
func BenchmarkThousandContainers(b *testing.B) {
	if err := privileged(Options{}); err != nil {
		skipOrFail(b, err)
	}
	r := startMonitor(b, build(b), "--host")
	all := newAct(b, "crowd", false)
	if line, err := all.out.ReadString('\n'); err != nil || line != "ready\n" {
		b.Fatalf("%q: %v", line, err)
	}
	for began := time.Now(); containersIn(b, r.path) < crowd; time.Sleep(time.Second) {
		if time.Since(began) > time.Minute {
			b.Fatalf("%d containers in the trace after a minute, want %d", containersIn(b, r.path), crowd)
		}
	}
	time.Sleep(5 * time.Second)
	now, own, peak := r.resident(b)
	b.ReportMetric(own, "own-MB")
	b.ReportMetric(now, "resident-MB")
	b.ReportMetric(now/residentLimit, "resident/limit")
	b.ReportMetric(peak, "peak-MB")
	b.ReportMetric(float64(containersIn(b, r.path)), "containers")
	b.ReportMetric(0, "ns/op")
	r.stop(b)
}

// containersIn counts the containers of a trace that is being written.
func containersIn(b *testing.B, path string) int {
	b.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	ids := make(map[string]bool)
	for line := range bytes.Lines(raw) {
		if rest, ok := bytes.CutPrefix(line, []byte(`{"type":"container","id":"`)); ok {
			id, _, _ := bytes.Cut(rest, []byte{'"'})
			ids[string(id)] = true
		}
	}
	return len(ids)
}

// BenchmarkVolume is what a container leaves behind that makes few calls, and
// one that makes a hundred times as many: lines and bytes of its own facts.
func BenchmarkVolume(b *testing.B) {
	if err := privileged(Options{}); err != nil {
		skipOrFail(b, err)
	}
	_, fewBytes := volume(b, 10_000)
	many, manyBytes := volume(b, 1_000_000)
	b.ReportMetric(float64(many), "facts/Mcalls")
	b.ReportMetric(float64(manyBytes)/float64(many), "bytes/fact")
	b.ReportMetric(float64(manyBytes), "bytes/Mcalls")
	b.ReportMetric(float64(manyBytes)/float64(fewBytes), "growth-of-100-times-the-calls")
	b.ReportMetric(0, "ns/op")
}

// volume records a command that makes that many calls and counts its facts, and
// the bytes they take in the trace.
func volume(b *testing.B, calls int) (facts, size int) {
	b.Helper()
	in, out, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	defer in.Close()
	fmt.Fprintln(out, calls)
	out.Close()
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "trace.log")
	res, err := Run(b.Context(), Options{Output: path, Command: []string{exe, "act", "loop"}, Stdin: in})
	if err != nil || res.Lost > 0 {
		b.Fatalf("%d lost: %v", res.Lost, err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	return factsOfCommand(b, raw)
}

// factsOfCommand counts the records of the command's container, others' left out.
func factsOfCommand(b *testing.B, raw []byte) (facts, size int) {
	b.Helper()
	var id string
	for line := range bytes.Lines(raw) {
		var rec struct{ Type, ID, Runtime, Container string }
		if err := json.Unmarshal(line, &rec); err != nil {
			b.Fatal(err)
		}
		if rec.Type == "container" && rec.Runtime == commandRuntime {
			id = rec.ID
		}
		if id != "" && rec.Container == id {
			facts, size = facts+1, size+len(line)
		}
	}
	return facts, size
}
