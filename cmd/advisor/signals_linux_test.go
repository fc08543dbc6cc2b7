package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"advisor/fixtures/bed"
	"advisor/trace"
)

// recorder is an advisor monitor at work, as a process of its own.
type recorder struct {
	cmd  *exec.Cmd
	log  string
	said chan string // all of stderr, once it has ended
	hear io.Closer   // the end of stderr that the test has
}

// startRecorder starts one and waits until it is ready. Flags come before what
// is recorded.
func startRecorder(t *testing.T, out *os.File, wrapper []string, args ...string) *recorder {
	t.Helper()
	bed.Require(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{log: filepath.Join(t.TempDir(), "trace.log"), said: make(chan string, 1)}
	advisor := filepath.Join(t.TempDir(), "advisor")
	if err := os.Symlink(self, advisor); err != nil {
		t.Fatal(err)
	}
	line := append(wrapper, advisor, "monitor")
	if out == nil {
		line = append(line, "-o", r.log)
	}
	line = append(line, args...)
	r.cmd = exec.Command(line[0], line[1:]...)
	if out != nil {
		r.cmd.Stdout = out
	}
	messages, err := r.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	r.hear = messages
	// Under nohup hangups are ignored, by the recorder too. What has a handler here
	// is the recorder's to decide about.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.cmd.Process.Kill() })
	ready := make(chan bool, 1)
	go r.listen(messages, ready)
	if !<-ready {
		t.Fatalf("the recorder is not ready: %s", <-r.said)
	}
	return r
}

func (r *recorder) listen(messages io.Reader, ready chan<- bool) {
	var said strings.Builder
	for lines := bufio.NewScanner(messages); lines.Scan(); {
		fmt.Fprintln(&said, lines.Text())
		if strings.HasPrefix(lines.Text(), "advisor: ready: ") {
			ready <- true
		}
	}
	select {
	case ready <- false:
	default:
	}
	r.said <- said.String()
}

func (r *recorder) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// ends waits for the end, and returns the code as a shell gives it and what was
// said.
func (r *recorder) ends(t *testing.T) (code int, said string) {
	t.Helper()
	said = <-r.said
	var exit *exec.ExitError
	err := r.cmd.Wait()
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	status := r.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return 128 + int(status.Signal()), said
	}
	return status.ExitStatus(), said
}

// lastOf is the last record of a trace.
func lastOf(t *testing.T, path string) *trace.End {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var last trace.Record
	for in := trace.NewReader(bytes.NewReader(raw), path); ; {
		rec, err := in.Next()
		if errors.Is(err, io.EOF) {
			end, _ := last.(*trace.End)
			return end
		}
		if err != nil {
			t.Fatal(err)
		}
		last = rec
	}
}

// TestSignalsEndARecording: each of them ends it in order, with a trace that has
// an end, a summary, and code 0, or that of the command, which is ended first.
func TestSignalsEndARecording(t *testing.T) {
	for _, tt := range []struct {
		signal  syscall.Signal
		command []string
		code    int
	}{
		{syscall.SIGINT, nil, 0},
		{syscall.SIGTERM, nil, 0},
		{syscall.SIGHUP, nil, 0},
		{syscall.SIGINT, []string{"--", "sleep", "1000"}, 143},
		{syscall.SIGTERM, []string{"--", "sleep", "1000"}, 143},
		{syscall.SIGHUP, []string{"--", "sh", "-c", "trap 'exit 5' TERM; while :; do sleep 0.1; done"}, 5},
	} {
		t.Run(fmt.Sprint(tt.signal, len(tt.command)), func(t *testing.T) {
			r := startRecorder(t, nil, nil, tt.command...)
			if len(tt.command) > 0 {
				r.await(t, `"comm":"sleep"`)
			}
			r.signal(t, tt.signal)
			code, said := r.ends(t)
			if code != tt.code || !strings.Contains(said, "advisor: "+r.log+": ") ||
				!strings.Contains(said, "complete: good to report") && !strings.Contains(said, "no container was seen") {
				t.Errorf("code %d, want %d; %s", code, tt.code, said)
			}
			if end := lastOf(t, r.log); end == nil || end.Reason != "interrupt" || end.Complete != trace.CompleteTrue {
				t.Errorf("the trace ends with %+v", end)
			}
		})
	}
}

// await waits until the trace holds the text.
func (r *recorder) await(t *testing.T, text string) {
	t.Helper()
	for range 600 {
		raw, err := os.ReadFile(r.log)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte(text)) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("the trace never holds %q", text)
}

// mask is a set of signals of the process, as /proc shows it.
func (r *recorder) mask(t *testing.T, name string) uint64 {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		var set uint64
		if _, err := fmt.Sscanf(line, name+": %x", &set); err == nil {
			return set
		}
	}
	t.Fatalf("no %s", name)
	return 0
}

// TestHangupUnderNohup leaves the recorder at work.
func TestHangupUnderNohup(t *testing.T) {
	r := startRecorder(t, nil, []string{"sh", "-c", `trap "" HUP; exec "$@"`, "sh"})
	if r.mask(t, "SigIgn")&(1<<(syscall.SIGHUP-1)) == 0 {
		t.Error("a hangup is not ignored")
	}
	r.signal(t, syscall.SIGHUP)
	r.signal(t, syscall.SIGTERM)
	if code, said := r.ends(t); code != 0 {
		t.Errorf("code %d: %s", code, said)
	}
	if end := lastOf(t, r.log); end == nil {
		t.Error("the trace has no end")
	}
}

// TestSecondInterrupt ends a recorder at once that waits for who reads its trace.
func TestSecondInterrupt(t *testing.T) {
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	if _, err := unix.FcntlInt(to.Fd(), unix.F_SETPIPE_SZ, 4096); err != nil {
		t.Fatal(err)
	}
	r := startRecorder(t, to, nil, "-o", "-", "--host")
	to.Close()
	// More than the pipe holds.
	for range 3 {
		if out, err := exec.Command("unshare", "-m", "true").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	r.signal(t, os.Interrupt)
	caught := uint64(1) << (syscall.SIGINT - 1)
	for range 600 {
		if r.mask(t, "SigCgt")&caught == 0 {
			break // the first has arrived
		}
		time.Sleep(20 * time.Millisecond)
	}
	r.signal(t, os.Interrupt)
	if code, said := r.ends(t); code != 130 {
		t.Errorf("code %d, want 130; %s", code, said)
	}
}

// TestReaderGone: when nobody can read the trace any more, the recording ends by
// itself and says so.
func TestReaderGone(t *testing.T) {
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r := startRecorder(t, to, nil, "-o", "-", "--host")
	to.Close()
	from.Close()
	code, said := r.ends(t)
	if code != 2 || !strings.Contains(said, "broken pipe") {
		t.Errorf("code %d, want 2; %s", code, said)
	}
}

// TestListenerGone: who only heard what is said to people may go.
func TestListenerGone(t *testing.T) {
	r := startRecorder(t, nil, nil)
	if err := r.hear.Close(); err != nil {
		t.Fatal(err)
	}
	r.signal(t, syscall.SIGTERM)
	if code, _ := r.ends(t); code != 0 {
		t.Errorf("code %d, want 0", code)
	}
	if end := lastOf(t, r.log); end == nil || end.Reason != "interrupt" {
		t.Errorf("the trace ends with %+v", end)
	}
}
