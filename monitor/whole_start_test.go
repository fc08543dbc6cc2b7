package monitor

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"advisor/bpf"
	"advisor/fixtures/bed"
)

// actBusy has threads make calls, each of a number of its own, until its input ends.
func actBusy() error {
	for _, nr := range []uintptr{unix.SYS_GETUID, unix.SYS_GETGID, unix.SYS_GETEUID, unix.SYS_GETEGID} {
		go func() {
			runtime.LockOSThread()
			for {
				_, _, _ = unix.RawSyscall(nr, 0, 0, 0)
			}
		}()
	}
	fmt.Println("done")
	_ = awaitStep()
	return nil
}

// TestThreadsAreSeenAtOnce: where several threads of a container are seen first in
// the same moment, none is taken for a container without a number. There is one
// slot, which the container gets again and again.
func TestThreadsAreSeenAtOnce(t *testing.T) {
	const only = 1
	bed.Require(t)
	busy := newPeer(t, "busy")
	if _, err := busy.out.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	p, _, err := open(Options{Denied: "off", Slots: only})
	if err != nil {
		skipOrFail(t, err)
	}
	defer p.close()
	nobodys := 0
	for range 300 {
		slot := filled(t, p.state, only)
		halt(t, busy.pid)
		err := p.state.drain(func(e *bpf.RecorderEvent) {
			if e.Id == 0 {
				nobodys++
			}
		})
		err = errors.Join(err, p.state.empty(map[uint64]uint32{slot.Id: only}), p.state.free(only))
		if err = errors.Join(err, unix.Kill(busy.pid, unix.SIGCONT)); err != nil {
			t.Fatal(err)
		}
	}
	if nobodys > 0 {
		t.Errorf("%d events are of a container without a number", nobodys)
	}
}

// halt stops a process, and waits until none of its threads runs.
func halt(t *testing.T, pid int) {
	t.Helper()
	if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for running := true; running; {
		running = false
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		for _, file := range threads {
			raw, _ := os.ReadFile(file)
			_, state, _ := bytes.Cut(raw, []byte(") "))
			running = running || !bytes.HasPrefix(state, []byte("T"))
		}
	}
}

// filled waits until a slot is somebody's.
func filled(t *testing.T, s *state, index uint32) bpf.RecorderSlot {
	t.Helper()
	for range 10_000 {
		slot, err := s.slot(index)
		if err != nil {
			t.Fatal(err)
		}
		if slot.Id != 0 {
			return slot
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("nobody takes the slot")
	return bpf.RecorderSlot{}
}
