package monitor

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"advisor/monitor/container"
)

// lastPID has the number of the process made last; the next one gets the one
// above it, if that is free (CONFIG_CHECKPOINT_RESTORE).
const lastPID = "/proc/sys/kernel/ns_last_pid"

// actSamePID is actFork with children that all get one process number, and
// prints how many did.
func actSamePID(many string) error {
	n, err := strconv.Atoi(many)
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	wanted, same := 0, 0
	for i := range n {
		if wanted > 0 {
			if err := os.WriteFile(lastPID, []byte(strconv.Itoa(wanted-1)), 0o644); err != nil {
				return err
			}
		}
		pid, err := fork(unix.CLONE_NEWNS, taggedCalls(i), false)
		if err == nil {
			_, err = unix.Wait4(pid, nil, 0, nil)
		}
		if err != nil {
			return err
		}
		if wanted == 0 {
			wanted = pid
		}
		if pid == wanted {
			same++
		}
	}
	fmt.Println(same)
	return nil
}

// TestPIDsAreReused: namespaces of processes that had the same number one after
// the other are as many namespaces, each with its own calls.
func TestPIDsAreReused(t *testing.T) {
	const n = 100
	if _, err := os.Stat(lastPID); err != nil {
		skipOrFail(t, fmt.Errorf("process numbers cannot be chosen here: %w", err))
	}
	ctx, cancel := context.WithCancel(t.Context())
	same := 0
	got := run(t, ctx, Options{
		Selection: container.Selection{Host: true},
		Ready: func(Status) {
			go func() {
				defer cancel()
				args := self(t, "samepid", strconv.Itoa(n))
				out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
				if err == nil {
					same, err = strconv.Atoi(strings.TrimSpace(string(out)))
				}
				if err != nil {
					t.Errorf("forking: %v: %s", err, out)
				}
			}()
		},
	})
	if same < n/2 {
		t.Fatalf("only %d of %d processes had the number of the first: this test shows nothing", same, n)
	}
	if found, whole := wholeForks(t, got, n); found != n || whole != n {
		t.Errorf("%d of %d namespaces found, %d whole, %v", found, n, whole, brief(got.Losses))
	}
}
