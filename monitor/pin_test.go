package monitor

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"advisor/bpf"
	"advisor/monitor/container"
	"advisor/trace"
)

// pinnedRecorder is one that is pinned and can be killed.
type pinnedRecorder struct {
	cmd *exec.Cmd
	pin string
}

// startPinned starts one, and waits until it is ready.
func startPinned(t *testing.T, path string, slots int) pinnedRecorder {
	t.Helper()
	if err := privileged(Options{}); err != nil {
		skipOrFail(t, err)
	}
	r := pinnedRecorder{pin: filepath.Join(filepath.Dir(PinFolder), "advisor-test-"+strconv.Itoa(os.Getpid()))}
	args := self(t, "record", path, r.pin, strconv.Itoa(slots))
	r.cmd = exec.Command(args[0], args[1:]...)
	r.cmd.Stderr = os.Stderr
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		_ = Cleanup(r.pin)
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the recorder says %q: %v", line, err)
	}
	return r
}

func (r pinnedRecorder) kill(t *testing.T) {
	t.Helper()
	if err := r.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = r.cmd.Wait()
}

// TestKilledRecorder kills a recorder, runs a container meanwhile, and takes the
// recording up: nothing of it is missing.
func TestKilledRecorder(t *testing.T) {
	r := startPinned(t, filepath.Join(t.TempDir(), "first.log"), 0)
	pin := r.pin
	r.kill(t)
	if err := exec.Command("unshare", "-m", "/usr/bin/true").Run(); err != nil {
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

// TestKilledInAStorm kills a recorder whose disk has hung for long, while
// containers come and go, and takes the recording up: each is in one of the two
// traces with all it did, those of before the kill, of between and of after, and
// what both tell is the same.
func TestKilledInAStorm(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "first.log")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	// Both ways, so that opening it waits for nobody.
	disk, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	if _, err := unix.FcntlInt(disk.Fd(), unix.F_SETPIPE_SZ, 4096); err != nil {
		t.Fatal(err)
	}
	r := startPinned(t, fifo, 0)
	forks(t, 0, 100)
	time.Sleep(keepEnded + 4*scanEvery) // a slot that is emptied too soon is by then
	storm := make(chan struct{})
	go func() {
		defer close(storm)
		forks(t, 100, 300)
	}()
	time.Sleep(100 * time.Millisecond)
	r.kill(t)
	<-storm
	first := readPipe(t, disk)
	forks(t, 400, 100)
	ctx, cancel := context.WithCancel(t.Context())
	second := run(t, ctx, Options{
		Pin: r.pin, Resume: true, Selection: container.Selection{Host: true},
		Ready: func(Status) {
			go func() {
				defer cancel()
				forks(t, 500, 100)
			}()
		},
	})
	both := recorded{Result: second.Result, records: append(first, second.records...)}
	found, whole := wholeForks(t, both, 600)
	if found != 600 || whole != found || second.Complete != trace.CompleteTrue {
		t.Errorf("%d of 600 found, %d whole, complete %s, %v", found, whole, second.Complete, brief(second.Losses))
	}
	if len(first) == 0 || len(first) > 100 {
		t.Errorf("%d records before the disk hung: the test proves nothing", len(first))
	}
	oneEnd(t, both)
}

// oneEnd holds that a container has one end, whoever tells it.
func oneEnd(t *testing.T, got recorded) {
	t.Helper()
	ends := make(map[string]string)
	for _, rec := range got.records {
		if exit, ok := rec.(*trace.Exit); ok {
			if other, known := ends[exit.Container]; known && other != exit.Time.String() {
				t.Errorf("%s ends at %s and at %s", exit.Container, other, exit.Time)
			}
			ends[exit.Container] = exit.Time.String()
		}
	}
}

// readPipe reads the records that are in a pipe whose writer was killed.
func readPipe(t *testing.T, pipe *os.File) []trace.Record {
	t.Helper()
	raw := make([]byte, 1<<16)
	if err := unix.SetNonblock(int(pipe.Fd()), true); err != nil {
		t.Fatal(err)
	}
	n, err := unix.Read(int(pipe.Fd()), raw)
	if err != nil {
		t.Fatal(err)
	}
	return readCut(t, raw[:n])
}

// readCut reads a trace that may stop short.
func readCut(t *testing.T, raw []byte) []trace.Record {
	t.Helper()
	in := trace.NewReader(bytes.NewReader(raw), "cut")
	var all []trace.Record
	for {
		rec, err := in.Next()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, trace.ErrIncomplete):
			return all
		case err != nil:
			t.Fatal(err)
		}
		all = append(all, rec)
	}
}

// TestKilledWhileTidying kills a recorder that has emptied slots and not freed
// them yet. Who takes the recording up frees them, or there are too few.
func TestKilledWhileTidying(t *testing.T) {
	const lot, slots = 30, 40
	dir := t.TempDir()
	r := startPinned(t, filepath.Join(dir, "first.log"), slots)
	forks(t, 0, lot)
	slotsThen := pinnedSlots(t, r.pin)
	for range 3000 {
		if slotsThen.tidying(t) >= lot/2 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.kill(t)
	if slotsThen.tidying(t) < lot/2 {
		t.Fatal("no slot is on its way: the test proves nothing")
	}
	ctx, cancel := context.WithCancel(t.Context())
	second := run(t, ctx, Options{
		Pin: r.pin, Resume: true, Selection: container.Selection{Host: true},
		Ready: func(Status) {
			go func() {
				defer cancel()
				for range 600 {
					if slotsThen.taken(t) <= slots-lot {
						break
					}
					time.Sleep(100 * time.Millisecond)
				}
				forks(t, lot, lot)
			}()
		},
	})
	raw, err := os.ReadFile(filepath.Join(dir, "first.log"))
	if err != nil {
		t.Fatal(err)
	}
	both := recorded{Result: second.Result, records: append(readCut(t, raw), second.records...)}
	if found, whole := wholeForks(t, both, 2*lot); found != 2*lot || whole != found {
		t.Errorf("%d of %d found, %d whole, %v", found, 2*lot, whole, brief(second.Losses))
	}
	oneEnd(t, both)
}

// pinnedSlots looks into the slots of a pinned recording.
func pinnedSlots(t *testing.T, pin string) *state {
	t.Helper()
	spec, err := embedded()
	if err != nil {
		t.Fatal(err)
	}
	m, err := ebpf.LoadPinnedMap(filepath.Join(pin, pinName(".bss")), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	vars, err := m.Memory()
	if err != nil {
		t.Fatal(err)
	}
	at := int64(spec.Variables[bpf.RecorderVarSlots].Offset)
	return &state{vars: vars, at: map[string]int64{bpf.RecorderVarSlots: at}}
}

// taken counts the slots that are not free.
func (s *state) taken(t *testing.T) int {
	t.Helper()
	n := s.tidying(t)
	if err := s.slots(func(int, *bpf.RecorderSlot) { n++ }); err != nil {
		t.Error(err)
	}
	return n
}

// tidying counts the slots that are emptied and not free.
func (s *state) tidying(t *testing.T) int {
	t.Helper()
	list, err := s.orphans()
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
