package monitor

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"advisor/policies"
	"advisor/trace"
)

// story is a recording as a recorder might write it: containers that begin, are
// described again, do things, are forgotten when they have ended, and losses.
func story(random *rand.Rand, write func(trace.Record), forget func(id string)) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tick := func() time.Time { at = at.Add(time.Millisecond); return at }
	write(&trace.Header{Schema: trace.Schema, Node: "n", Boot: "b", Start: tick(), Arch: "x86_64"})
	var alive []string
	known := make(map[string]bool) // facts are written once
	var lost uint64
	for i := range 40 + random.IntN(200) {
		if len(alive) == 0 || random.IntN(12) == 0 {
			id := fmt.Sprintf("container-%d", i)
			alive = append(alive, id)
			write(&trace.Container{ID: id, Started: at})
		}
		n := random.IntN(len(alive))
		id := alive[n]
		by := trace.Sighting{Time: tick(), PID: 100 + i, Comm: "c"}
		nr := random.IntN(30)
		fact := fmt.Sprint(id, nr)
		switch kind := random.IntN(20); {
		case kind == 0:
			write(&trace.Exit{Container: id, Time: at})
			forget(id)
			alive = slices.Delete(alive, n, n+1)
		case kind == 1:
			lost++
			write(&trace.Loss{Probe: "network", Stage: "map", Count: 1, Reason: "full", Container: id})
		case kind == 2:
			write(&trace.Container{ID: id, Started: by.Time, Name: fmt.Sprintf("name-%d", i)})
		case kind == 3:
			write(&trace.Counts{Container: id, Time: at, Counts: []trace.Count{{Fact: "capability/CHOWN", Count: 2}}})
		case known[fact]:
		case kind < 8:
			known[fact] = true
			write(&trace.Connect{Container: id, Protocol: trace.TCP, Remote: "192.0.2.1", Port: 1 + nr,
				Source: "192.0.2.2", Local: 40000 + i, Result: trace.ResultEstablished, Sighting: by})
		default:
			known[fact] = true
			write(&trace.Syscall{Container: id, Phase: trace.PhaseRun, Arch: "x86_64", Nr: nr,
				Name: trace.SyscallName("x86_64", nr), Sighting: by})
		}
	}
	end := &trace.End{Time: tick(), Lost: lost, Complete: trace.CompleteTrue, Reason: "interrupt"}
	if lost > 0 {
		end.Complete = trace.CompleteFalse
	}
	write(end)
}

// tell writes the story of seed, in files of at most limit bytes where that is
// not 0, and returns them in order.
func tell(t *testing.T, name string, seed, limit uint64) []string {
	t.Helper()
	o := Options{Output: filepath.Join(t.TempDir(), name), Rotate: limit}
	out, err := create(o)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(seed, 1))
	often := rand.New(rand.NewPCG(seed, limit))
	story(random, func(rec trace.Record) {
		if err := out.write(rec); err != nil {
			t.Fatal(err)
		}
		if _, last := rec.(*trace.End); last || often.IntN(5) > 0 {
			return
		}
		if err := errors.Join(out.flush(), out.turn(time.Unix(0, 0).UTC())); err != nil {
			t.Fatal(err)
		}
	}, out.forget)
	if err := out.close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(o.Output), "*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	return files
}

// merged are the traces as one, as advisor trace merge writes it.
func merged(t *testing.T, files []string) string {
	t.Helper()
	var m trace.Merge
	for _, file := range files {
		if bad, err := m.Add(openTrace(t, file)); err != nil || len(bad) > 0 {
			t.Fatal(file, bad, err)
		}
	}
	var out bytes.Buffer
	w := trace.NewWriter(&out)
	if err := errors.Join(m.Write(w), w.Flush()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func observed(t *testing.T, files []string) []policies.Observation {
	t.Helper()
	all := policies.NewObserver()
	for _, file := range files {
		if bad, err := all.Read(openTrace(t, file)); err != nil || len(bad) > 0 {
			t.Fatal(file, bad, err)
		}
	}
	return all.Observations()
}

func openTrace(t *testing.T, file string) *trace.Reader {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return trace.NewReader(bytes.NewReader(raw), filepath.Base(file))
}

// TestSegmentsAreTheWhole: whoever reads all the files of a rotated trace, in any
// order, reads what stands in one that was not rotated.
func TestSegmentsAreTheWhole(t *testing.T) {
	rotated := 0
	for _, name := range []string{"trace.log", "trace.log.zst"} {
		for seed := range uint64(30) {
			whole := tell(t, name, seed, 0)
			files := tell(t, name, seed, 200+seed*100)
			rotated += len(files) - 1
			if diff := cmp.Diff(merged(t, whole), merged(t, files)); diff != "" {
				t.Fatalf("%s, seed %d: merged (-whole +segments)\n%s", name, seed, diff)
			}
			slices.Reverse(files)
			if diff := cmp.Diff(merged(t, whole), merged(t, files)); diff != "" {
				t.Fatalf("%s, seed %d: merged backwards (-whole +segments)\n%s", name, seed, diff)
			}
			if diff := cmp.Diff(observed(t, whole), observed(t, files)); diff != "" {
				t.Fatalf("%s, seed %d: observed (-whole +segments)\n%s", name, seed, diff)
			}
		}
	}
	if rotated < 60 {
		t.Errorf("%d files were set aside: the test proves little", rotated)
	}
}

// TestSegmentAlone: each segment reads to its end by itself, and has what was
// known of the containers that are in it.
func TestSegmentAlone(t *testing.T) {
	for seed := range uint64(10) {
		known := make(map[string]map[string]bool) // facts by container
		gone := make(map[string]bool)
		for i, file := range tell(t, "trace.log", seed, 600) {
			here := make(map[string]map[string]bool)
			r := openTrace(t, file)
			for rec, err := r.Next(); !errors.Is(err, io.EOF); rec, err = r.Next() {
				if err != nil {
					t.Fatalf("seed %d, %s: %v", seed, file, err)
				}
				note(here, rec)
				if exit, ok := rec.(*trace.Exit); ok {
					gone[exit.Container] = true
				}
			}
			for id, facts := range known {
				for text := range facts {
					if !gone[id] && !here[id][text] {
						t.Errorf("seed %d, segment %d: %s is not in it", seed, i+1, text)
					}
				}
			}
			known = here
		}
	}
}

func note(facts map[string]map[string]bool, rec trace.Record) {
	id := containerOf(rec)
	if kind := rec.Type(); id == "" || kind == "container" || kind == "counts" {
		return
	}
	if facts[id] == nil {
		facts[id] = make(map[string]bool)
	}
	facts[id][fmt.Sprintf("%+v", rec)] = true
}

// TestMissingSegment: what is only in a segment that is not there is not passed
// over in silence.
func TestMissingSegment(t *testing.T) {
	files := tell(t, "trace.log", 3, 600)
	if len(files) < 4 {
		t.Fatalf("%d files", len(files))
	}
	files = slices.Delete(files, len(files)/2, len(files)/2+1)
	unknown := 0
	for _, o := range observed(t, files) {
		if o.Evidence.Complete != trace.CompleteTrue {
			unknown++
		}
	}
	if unknown == 0 {
		t.Error("every observation says that it is complete")
	}
	if bytes.Contains([]byte(merged(t, files)), []byte(`"complete":"true"`)) {
		t.Error("the merged trace says that it is complete")
	}
}

func TestSegmentName(t *testing.T) {
	for path, want := range map[string]string{
		"trace.log": "trace.0001.log", "a/trace.log.zst": "a/trace.0001.log.zst",
		"/x.y/trace": "/x.y/trace.0001", "my.trace.log": "my.trace.0001.log", "t.zst": "t.0001.zst",
	} {
		if got := segmentName(path, 1); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// TestSetAside never takes the place of a file that is there.
func TestSetAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace.log")
	for file, text := range map[string]string{path: "new", segmentName(path, 1): "mine"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := setAside(path); err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]string{1: "mine", 2: "new"} {
		if got, err := os.ReadFile(segmentName(path, n)); string(got) != want {
			t.Errorf("segment %d: %q, %v; want %q", n, got, err, want)
		}
	}
}
