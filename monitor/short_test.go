package monitor

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"advisor/bpf"
	"advisor/fixtures/bed"
	"advisor/monitor/container"
	"advisor/trace"
)

// shortLived is how many namespaces a test makes, and how many at a time.
const shortLived, atOnce = 300, 8

// TestShortPrograms runs a program of a millisecond in each of many namespaces.
// Each has to be there with every call that strace sees the same program make.
func TestShortPrograms(t *testing.T) {
	bed.Require(t, "strace")
	truth := filepath.Join(t.TempDir(), "strace")
	out, err := exec.Command("strace", "-qq", "-o", truth, "/usr/bin/true").CombinedOutput()
	if err != nil {
		bed.Skip(t, "strace cannot trace here: %v: %s", err, out)
	}
	want := without(straced(t, truth), []string{"execve"}) // that one is the start's
	ctx, cancel := context.WithCancel(t.Context())
	got := run(t, ctx, Options{
		Selection: container.Selection{Host: true},
		Ready:     func(Status) { go spawn(cancel) },
	})
	found, whole := 0, 0
	for _, set := range setsOf(got, "/true") {
		found++
		if len(without(want, called(set, trace.PhaseRun))) == 0 {
			whole++
		}
	}
	if found != shortLived || whole != found {
		t.Errorf("%d of %d found, %d of them whole; each calls %v", found, shortLived, whole, want)
	}
}

// setsOf groups the calls of one executable by namespace.
func setsOf(r recorded, exe string) map[string][]*trace.Syscall {
	sets := make(map[string][]*trace.Syscall)
	for _, rec := range r.records {
		if c, ok := rec.(*trace.Syscall); ok && strings.HasSuffix(c.Exe, exe) {
			sets[c.Container] = append(sets[c.Container], c)
		}
	}
	return sets
}

// spawn makes mount namespaces in which a program runs for about a millisecond,
// several at a time.
func spawn(done func()) {
	defer done()
	var wg sync.WaitGroup
	next := make(chan struct{})
	for range atOnce {
		wg.Go(func() {
			for range next {
				cmd := exec.Command("/usr/bin/true")
				cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
				_ = cmd.Run()
			}
		})
	}
	for range shortLived {
		next <- struct{}{}
	}
	close(next)
	wg.Wait()
}

// TestShortForks makes namespaces that never run a program of their own: the
// child of a clone makes its calls at once, on a kernel stack that another task
// had a moment ago.
func TestShortForks(t *testing.T) {
	found, whole := shortForks(t, "")
	if found != shortLived || whole != found {
		t.Errorf("%d of %d found, %d of them whole", found, shortLived, whole)
	}
}

// TestShortForksNeedNewtask shows that the test above notices a recorder that
// forgets to forget: the program that clears a new task's entry left out.
func TestShortForksNeedNewtask(t *testing.T) {
	found, whole := shortForks(t, bpf.RecorderProgNewtask)
	t.Logf("%d found, %d whole", found, whole)
	if found == shortLived && whole == found {
		t.Errorf("all %d whole without the newtask probe: the test proves nothing", found)
	}
}

func shortForks(t *testing.T, leaveOut string) (found, whole int) {
	ctx, cancel := context.WithCancel(t.Context())
	args := self(t, "fork")
	got := run(t, ctx, Options{
		Selection: container.Selection{Host: true}, without: leaveOut,
		Ready: func(Status) {
			go func() {
				defer cancel()
				if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
					t.Errorf("forking: %v: %s", err, out)
				}
			}()
		},
	})
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return wholeForks(got, filepath.Base(exe))
}

// wholeForks counts the namespaces of children of that name, and those of them
// that are there with every call that such a child makes.
func wholeForks(got recorded, exe string) (found, whole int) {
	for _, set := range setsOf(got, exe) {
		numbers := make(map[int]bool)
		for _, c := range set {
			numbers[c.Nr] = true
		}
		found++
		missing := 0
		for _, nr := range forkCalls() {
			if !numbers[int(nr)] {
				missing++
			}
		}
		if missing == 0 {
			whole++
		}
	}
	return found, whole
}
