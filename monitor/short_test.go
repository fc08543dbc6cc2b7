package monitor

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	truth, program := filepath.Join(t.TempDir(), "strace"), ownTrue(t)
	out, err := exec.Command("strace", "-qq", "-o", truth, program).CombinedOutput()
	if err != nil {
		bed.Skip(t, "strace cannot trace here: %v: %s", err, out)
	}
	want := without(straced(t, truth), []string{"execve"}) // that one is the start's
	ctx, cancel := context.WithCancel(t.Context())
	got := run(t, ctx, Options{
		Selection: container.Selection{Host: true},
		Ready:     func(Status) { go spawn(program, cancel) },
	})
	found, whole := 0, 0
	for _, set := range setsOf(got, filepath.Base(program)) {
		found++
		if len(without(want, called(set, trace.PhaseRun))) == 0 {
			whole++
		}
	}
	if found != shortLived || whole != found {
		t.Errorf("%d of %d found, %d of them whole, %v; each calls %v", found, shortLived, whole, brief(got.Losses), want)
	}
}

// ownTrue is a true under a name that nobody else on this machine runs.
func ownTrue(t *testing.T) string {
	t.Helper()
	program, err := os.ReadFile("/usr/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), fmt.Sprintf("true-%d", os.Getpid()))
	if err := os.WriteFile(path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
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
func spawn(program string, done func()) {
	defer done()
	var wg sync.WaitGroup
	next := make(chan struct{})
	for range atOnce {
		wg.Go(func() {
			for range next {
				cmd := exec.Command(program)
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
	found, whole, losses := shortForks(t, Options{})
	if found != shortLived || whole != found {
		t.Errorf("%d of %d found, %d of them whole, %v", found, shortLived, whole, losses)
	}
}

// TestShortForksNeedNewtask shows that the test above notices a recorder that
// forgets to forget: the program that clears a new task's entry left out.
func TestShortForksNeedNewtask(t *testing.T) {
	found, whole, _ := shortForks(t, Options{without: bpf.RecorderProgNewtask})
	t.Logf("%d found, %d whole", found, whole)
	if found == shortLived && whole == found {
		t.Errorf("all %d whole without the newtask probe: the test proves nothing", found)
	}
}

// TestShortForksFullRing has a ring of events that holds those of one namespace:
// most are lost, which is said, and no fact with them.
func TestShortForksFullRing(t *testing.T) {
	found, whole, losses := shortForks(t, Options{ring: uint32(os.Getpagesize())})
	if found != shortLived || whole != found {
		t.Errorf("%d of %d found, %d of them whole, %v", found, shortLived, whole, losses)
	}
	if len(losses) != 1 || losses[0].Stage != "ring" || !losses[0].EvidenceOnly {
		t.Errorf("losses %+v, want those of the ring", losses)
	}
}

func shortForks(t *testing.T, o Options) (found, whole int, losses []trace.Loss) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	o.Selection.Host = true
	o.Ready = func(Status) {
		go func() {
			defer cancel()
			forks(t, 0, shortLived)
		}()
	}
	got := run(t, ctx, o)
	found, whole = wholeForks(t, got, shortLived)
	return found, whole, brief(got.Losses)
}

// brief are the losses of a recording by kind.
func brief(losses []trace.Loss) []trace.Loss {
	var list []trace.Loss
	for _, l := range losses {
		l.Container = ""
		if n := len(list); n > 0 && list[n-1].Probe == l.Probe && list[n-1].Stage == l.Stage {
			list[n-1].Count += l.Count
			continue
		}
		list = append(list, l)
	}
	return list
}

// wholeForks counts the tagged namespaces, of so many, and those of them that are
// there with every call that such a child makes.
func wholeForks(t *testing.T, got recorded, want int) (found, whole int) {
	t.Helper()
	return (&stormKind{calls: forkCalls()}).check(t, got, want)
}

// check is about those of a kind whose tags are the first so many.
func (k *stormKind) check(t *testing.T, got recorded, want int) (found, whole int) {
	t.Helper()
	numbers := make(map[string]map[int]bool)
	tags := make(map[int]string)
	for _, rec := range got.records {
		c, ok := rec.(*trace.Syscall)
		if !ok {
			continue
		}
		if numbers[c.Container] == nil {
			numbers[c.Container] = make(map[int]bool)
		}
		numbers[c.Container][c.Nr] = true
		if tag := c.Nr - tagged - k.first; tag >= 0 && tag < want {
			if other, known := tags[tag]; known && other != c.Container {
				t.Errorf("namespace %d is in the trace as %s and as %s", tag, other, c.Container)
			}
			tags[tag] = c.Container
		}
	}
	for _, id := range tags {
		found++
		if !slices.ContainsFunc(k.calls, func(nr uintptr) bool { return !numbers[id][int(nr)] }) {
			whole++
		}
	}
	if own := len(slices.Compact(slices.Sorted(maps.Values(tags)))); own != found {
		t.Errorf("%d namespaces under %d ids", found, own)
	}
	return found, whole
}
