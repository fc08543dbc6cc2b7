package monitor

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"advisor/fixtures/bed"
	"advisor/monitor/container"
	"advisor/trace"
)

// fakeDocker answers as Docker does on a busy machine: slowly, and "no such
// container" for one that has removed itself.
type fakeDocker struct {
	path  string
	delay time.Duration
	mute  bool // nothing is answered at all
	// What is answered is no description of anything, or breaks off in the middle.
	garbage, dies bool

	mu        sync.Mutex
	names     map[string]string // by id, of containers that are there
	listeners map[chan string]bool
}

func newFakeDocker(t *testing.T, delay time.Duration, mute bool) *fakeDocker {
	t.Helper()
	bed.Require(t)
	d := &fakeDocker{
		path: filepath.Join(t.TempDir(), "docker.sock"), delay: delay, mute: mute,
		names: make(map[string]string), listeners: make(map[chan string]bool),
	}
	listener, err := net.Listen("unix", d.path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: d}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return d
}

func (d *fakeDocker) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	switch {
	case d.mute:
		<-q.Context().Done()
	case d.garbage:
		fmt.Fprint(w, "\x00\xff{]\"Id\":", strings.Repeat("[", 1000))
	case d.dies:
		w.Header().Set("Content-Length", "4096")
		fmt.Fprintf(w, `{"Id":%q,"Name":"/wanted-0","State":{`, path.Base(path.Dir(q.URL.Path)))
		panic(http.ErrAbortHandler)
	case q.URL.Path == "/events":
		d.events(w, q)
	case q.URL.Path == "/containers/json":
		fmt.Fprint(w, "[]")
	default:
		d.inspect(w, q)
	}
}

func (d *fakeDocker) events(w http.ResponseWriter, q *http.Request) {
	lines := make(chan string, 1000)
	d.mu.Lock()
	d.listeners[lines] = true
	d.mu.Unlock()
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
	for {
		select {
		case line := <-lines:
			fmt.Fprintln(w, line)
			w.(http.Flusher).Flush()
		case <-q.Context().Done():
			return
		}
	}
}

func (d *fakeDocker) inspect(w http.ResponseWriter, q *http.Request) {
	time.Sleep(d.delay)
	id := strings.TrimSuffix(strings.TrimPrefix(q.URL.Path, "/containers/"), "/json")
	d.mu.Lock()
	name, ok := d.names[id]
	d.mu.Unlock()
	if !ok {
		http.NotFound(w, q)
		return
	}
	fmt.Fprintf(w, `{"Id":%q,"Name":"/%s","State":{"Running":true},"Config":{"Image":"i"}}`, id, name)
}

// create announces a container, before it is started.
func (d *fakeDocker) create(id, name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.names[id] = name
	for lines := range d.listeners {
		lines <- fmt.Sprintf(`{"Type":"container","Action":"create","Actor":{"ID":%q,`+
			`"Attributes":{"name":%q,"image":"i","tier":"front"}}}`, id, name)
	}
}

func (d *fakeDocker) remove(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.names, id)
}

// listening waits until somebody hears the events.
func (d *fakeDocker) listening(t *testing.T) {
	t.Helper()
	for range 200 {
		d.mu.Lock()
		n := len(d.listeners)
		d.mu.Unlock()
		if n > 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("the recorder does not listen to the runtime's events")
}

// burst runs short containers in cgroups as Docker makes them, eight at a time,
// each removed as soon as it has ended.
func (d *fakeDocker) burst(t *testing.T, names map[string]string) {
	dir := bundle(t, "ls / >/dev/null")
	var wait sync.WaitGroup
	next := make(chan string)
	for range 8 {
		wait.Go(func() {
			for id := range next {
				d.create(id, names[id])
				runAs(t, dir, id)
				d.remove(id)
			}
		})
	}
	for _, id := range slices.Sorted(maps.Keys(names)) {
		next <- id
	}
	close(next)
	wait.Wait()
}

// runAs runs the bundle in Docker's cgroup of id.
func runAs(t *testing.T, dir, id string) {
	own := filepath.Join(dir, id)
	err := rewrite(filepath.Join(dir, "config.json"), filepath.Join(own, "config.json"), func(spec map[string]any) {
		spec["root"].(map[string]any)["path"] = filepath.Join(dir, "rootfs")
		spec["linux"].(map[string]any)["cgroupsPath"] = "/docker/" + id
	})
	if err != nil {
		t.Error(err)
		return
	}
	run := exec.Command("runc", "--root", filepath.Join(dir, "state"), "run", "--bundle", own, id)
	if out, err := run.CombinedOutput(); err != nil {
		t.Errorf("running a container: %v: %s", err, out)
	}
}

// dockerNames are names of containers by id, twelve of them selected.
func dockerNames(n int) (names map[string]string, selected []string) {
	names = make(map[string]string)
	for i := range n {
		id := fmt.Sprintf("%032x%032x", os.Getpid(), i+1)
		names[id] = fmt.Sprintf("other-%d", i)
		if i%(n/12) == 0 && len(selected) < 12 {
			names[id] = fmt.Sprintf("wanted-%d", len(selected))
			selected = append(selected, names[id])
		}
	}
	return names, selected
}

// TestSelectedInABurst: of 120 containers that live for milliseconds and remove
// themselves, on a runtime that answers slowly, those that are selected are all
// there, by name, and no other.
func TestSelectedInABurst(t *testing.T) {
	d := newFakeDocker(t, 300*time.Millisecond, false)
	names, selected := dockerNames(120)
	got := d.record(t, names, container.Selection{Containers: selected})
	var found []string
	for _, rec := range got.records {
		if c, ok := rec.(*trace.Container); ok && !slices.Contains(found, c.Name) {
			found = append(found, c.Name)
		}
	}
	slices.Sort(found)
	slices.Sort(selected)
	if !slices.Equal(found, selected) || got.Complete != trace.CompleteTrue {
		t.Errorf("%d of %d found: %v, complete %s, %v", len(found), len(selected), found, got.Complete, got.Losses)
	}
	for _, name := range selected {
		if calls := called(of[*trace.Syscall](got, name), trace.PhaseRun); len(calls) < 20 {
			t.Errorf("%s: only %v", name, calls)
		}
	}
	if c := of[*trace.Container](got, selected[0]); c[len(c)-1].Labels["tier"] != "front" {
		t.Errorf("labels %v", c[len(c)-1].Labels)
	}
}

func (d *fakeDocker) record(t *testing.T, names map[string]string, s container.Selection) recorded {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	return run(t, ctx, Options{
		Selection: s, runtimes: container.Options{Sockets: []string{d.path}},
		Ready: func(Status) {
			go func() {
				defer cancel()
				if !d.mute {
					d.listening(t)
				}
				d.burst(t, names)
			}()
		},
	})
}

// TestRuntimeHangs: where the runtime never says what the containers are called,
// the trace says that some of those selected may be missing.
func TestRuntimeHangs(t *testing.T) {
	d := newFakeDocker(t, 0, true)
	names, selected := dockerNames(24)
	got := d.recordAnyway(t, names, container.Selection{Containers: selected})
	unnamed := 0
	for _, rec := range got.records {
		if loss, ok := rec.(*trace.Loss); ok && loss.Stage == "name" && names[loss.Container] != "" {
			unnamed++
		}
	}
	end, _ := got.records[len(got.records)-1].(*trace.End)
	if unnamed != len(names) || end == nil || end.Complete != trace.CompleteFalse {
		t.Errorf("%d of %d counted as unnamed, end %+v", unnamed, len(names), end)
	}
}

// TestRuntimeMisbehaves: a runtime that answers nonsense, or dies while it answers,
// names nobody. Each container is counted as one that may have been selected.
func TestRuntimeMisbehaves(t *testing.T) {
	for name, spoil := range map[string]func(*fakeDocker){
		"garbage": func(d *fakeDocker) { d.garbage = true },
		"dies":    func(d *fakeDocker) { d.dies = true },
	} {
		t.Run(name, func(t *testing.T) {
			d := newFakeDocker(t, 0, false)
			spoil(d)
			names, selected := dockerNames(24)
			got := d.recordAnyway(t, names, container.Selection{Containers: selected})
			unnamed := make(map[string]bool)
			for _, loss := range got.Losses {
				if loss.Stage == "name" && names[loss.Container] != "" {
					unnamed[loss.Container] = true
				}
			}
			if len(unnamed) != len(names) || got.Complete != trace.CompleteFalse {
				t.Errorf("%d of %d counted as unnamed, complete %s", len(unnamed), len(names), got.Complete)
			}
		})
	}
}

// recordAnyway is record for where nothing that was selected may be seen.
func (d *fakeDocker) recordAnyway(t *testing.T, names map[string]string, s container.Selection) recorded {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trace.log")
	ctx, cancel := context.WithCancel(t.Context())
	res, err := Run(ctx, Options{
		Output: path, Selection: s, runtimes: container.Options{Sockets: []string{d.path}},
		Ready: func(Status) {
			go func() {
				defer cancel()
				d.burst(t, names)
			}()
		},
	})
	if err != nil && !strings.Contains(err.Error(), ErrNoContainer.Error()) {
		skipOrFail(t, err)
	}
	return recorded{Result: res, records: read(t, path)}
}
