package monitor

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"advisor/monitor/container"
	"advisor/trace"
)

// perSecond is how many namespaces TestRate makes.
const perSecond = 200

// TestRate makes 200 namespaces a second, for five seconds or for
// ADVISOR_RATE_SECONDS: more than there are slots, so that each is used several
// times over. All are there, each with all of its calls, and nothing is lost.
func TestRate(t *testing.T) {
	seconds, err := strconv.Atoi(cmp.Or(os.Getenv("ADVISOR_RATE_SECONDS"), "5"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	args := self(t, "rate", strconv.Itoa(seconds))
	took := ""
	got := run(t, ctx, Options{
		Selection: container.Selection{Host: true},
		Ready: func(Status) {
			go func() {
				defer cancel()
				out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
				if err != nil {
					t.Errorf("making namespaces: %v: %s", err, out)
				}
				took = strings.TrimSpace(string(out))
			}()
		},
	})
	want := seconds * perSecond
	found, whole := wholeForks(t, got, want)
	t.Logf("%d found, %d whole, in %s", found, whole, took)
	if found != want || whole != want || got.Complete != trace.CompleteTrue {
		t.Errorf("%d of %d found, %d whole, complete %s, %v", found, want, whole, got.Complete, brief(got.Losses))
	}
}

// actRate forks into namespaces of their own at an even pace, and waits for each.
func actRate(text string) error {
	seconds, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	began := time.Now()
	for i := range seconds * perSecond {
		time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / perSecond)))
		pid, err := fork(unix.CLONE_NEWNS, taggedCalls(i), false)
		if err == nil {
			_, err = unix.Wait4(pid, nil, 0, nil)
		}
		if err != nil {
			return err
		}
	}
	fmt.Println(time.Since(began).Round(time.Millisecond))
	return nil
}
