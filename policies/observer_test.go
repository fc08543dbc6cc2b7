package policies_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"advisor/policies"
	"advisor/trace"
)

// at is a time of the test's day, in seconds.
func at(s int) time.Time { return time.Date(2026, 11, 21, 12, 0, s, 0, time.UTC) }

func by(s int, comm string) trace.Sighting { return trace.Sighting{Time: at(s), PID: 7, Comm: comm} }

func header(node string) *trace.Header {
	return &trace.Header{Schema: trace.Schema, Node: node, Boot: "boot-" + node, Kernel: "6.18", Start: at(0)}
}

func call(container string, nr, s int) *trace.Syscall {
	return &trace.Syscall{Container: container, Phase: trace.PhaseRun, Arch: "x86_64", Nr: nr, Sighting: by(s, "nginx")}
}

func finish(s int) *trace.End { return &trace.End{Time: at(s), Complete: trace.CompleteTrue} }

// observe folds traces, each named by its place.
func observe(traces ...[]trace.Record) []policies.Observation {
	o := policies.NewObserver()
	for i, records := range traces {
		for _, rec := range records {
			o.Add(fmt.Sprintf("t%d", i), rec)
		}
	}
	return o.Observations()
}

func TestObserveReplicas(t *testing.T) {
	named := func(id string) *trace.Container {
		return &trace.Container{ID: id, Runtime: "docker", Name: "web", Started: at(1)}
	}
	got := observe(
		[]trace.Record{header("n1"), call("a", 0, 5), named("a"), call("a", 1, 6), finish(60)},
		[]trace.Record{header("n2"), named("b"), call("b", 0, 3), finish(90)},
	)
	want := []policies.Observation{{
		Workload:   policies.Workload{Kind: "Container", Name: "web"},
		Containers: []trace.Container{*named("a"), *named("b")},
		Syscalls: []policies.Syscall{
			{Arch: "x86_64", Nr: 0, Name: "read", Phase: "run",
				Seen: policies.Seen{First: by(3, "nginx"), Containers: 2, Comms: []string{"nginx"}}},
			{Arch: "x86_64", Nr: 1, Name: "write", Phase: "run",
				Seen: policies.Seen{First: by(6, "nginx"), Containers: 1, Comms: []string{"nginx"}}},
		},
		Evidence: policies.Evidence{
			Start: at(0), End: at(90), LastNew: at(6), Traces: 2, Nodes: []string{"n1", "n2"},
			Kernels: []string{"6.18"}, Replicas: 2, Complete: trace.CompleteTrue,
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestObserveOneNodeTwice knows a container again in a later recording of the
// same boot, and its later description.
func TestObserveOneNodeTwice(t *testing.T) {
	later := header("n1")
	later.Start = at(100)
	first := &trace.Container{ID: "a", Name: "old"}
	second := &trace.Container{ID: "a", Name: "new", Existed: true}
	for _, traces := range [][][]trace.Record{
		{{header("n1"), first, call("a", 0, 1), finish(9)}, {later, second, call("a", 0, 101), finish(109)}},
		{{later, second, call("a", 0, 101), finish(109)}, {header("n1"), first, call("a", 0, 1), finish(9)}},
		{{header("n1"), first, call("a", 0, 1), finish(9), later, second, call("a", 0, 101), finish(109)}},
	} {
		got := observe(traces...)
		if len(got) != 1 {
			t.Fatalf("%d workloads, want 1", len(got))
		}
		o := got[0]
		if o.Workload.Name != "new" || o.Evidence.Replicas != 1 || o.Evidence.Late != 0 ||
			o.Evidence.Complete != trace.CompleteTrue || !o.Syscalls[0].First.Time.Equal(at(1)) {
			t.Errorf("got %+v", o)
		}
	}
}

// TestObserveSameIDElsewhere keeps containers apart that share no more than an id.
func TestObserveSameIDElsewhere(t *testing.T) {
	unnamed := &trace.Header{Schema: trace.Schema}
	got := observe(
		[]trace.Record{header("n1"), &trace.Container{ID: "a", Name: "web"}, finish(1)},
		[]trace.Record{header("n2"), &trace.Container{ID: "a", Name: "db"}, finish(1)},
		[]trace.Record{unnamed, &trace.Container{ID: "a", Name: "cache"}, finish(1)},
		[]trace.Record{unnamed, &trace.Container{ID: "a", Name: "queue"}, finish(1)},
	)
	var names []string
	for _, o := range got {
		names = append(names, o.Workload.Name)
	}
	if diff := cmp.Diff([]string{"cache", "db", "queue", "web"}, names); diff != "" {
		t.Errorf("workloads (-want +got):\n%s", diff)
	}
}

func TestObserveNobodyKnows(t *testing.T) {
	got := observe([]trace.Record{header("n1"), call("4f2a", 0, 1), finish(2)})
	want := policies.Workload{Kind: "Container", Name: "4f2a"}
	if len(got) != 1 || got[0].Workload != want {
		t.Fatalf("got %v, want %v", got, want)
	}
	notes := []string{"no trace says what container 4f2a is"}
	if diff := cmp.Diff(notes, got[0].Evidence.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

func TestObserveCounts(t *testing.T) {
	count := func(fact string, n uint64) trace.Record {
		return &trace.Counts{Container: "a", Counts: []trace.Count{{Fact: fact, Count: n}}}
	}
	start := call("a", 0, 1)
	start.Phase = trace.PhaseStart
	flow := &trace.Connect{Container: "a", Protocol: trace.TCP, Remote: "::1", Port: 80, Result: trace.ResultEstablished}
	records := []trace.Record{header("n1"), count("syscall/x86_64/read", 3), start, call("a", 0, 5), flow,
		count("connect/TCP/[::1]:80", 9), count("syscall/x86_64/read", 4), finish(9)}
	o := observe(records)[0]
	if o.Syscalls[0].Count != 0 || o.Syscalls[1].Count != 7 || o.Connects[0].Count != 9 {
		t.Errorf("counted %d in start, %d in run, %d connections, want 0, 7, 9",
			o.Syscalls[0].Count, o.Syscalls[1].Count, o.Connects[0].Count)
	}
	o = observe(append(records, count("syscall/x86_64/write", 1)))[0]
	if o.Evidence.Complete != trace.CompleteFalse || o.Evidence.Lost != 1 {
		t.Errorf("a call that was counted but not recorded: %+v", o.Evidence)
	}
}

func TestObserveArguments(t *testing.T) {
	with := func(container string, values ...uint64) trace.Record {
		c := call(container, 41, 1)
		for i, v := range values {
			c.Args = append(c.Args, trace.Arg{Index: i, Value: v})
		}
		return c
	}
	one := observe([]trace.Record{header("n1"), with("a", 2, 1), with("a", 1, 1), with("a", 2, 1), with("a")})[0]
	want := [][]trace.Arg{{{Index: 0, Value: 1}, {Index: 1, Value: 1}}, {{Index: 0, Value: 2}, {Index: 1, Value: 1}}}
	if diff := cmp.Diff(want, one.Syscalls[0].Args); diff != "" || one.Syscalls[0].ArgsOverflow {
		t.Errorf("arguments of one container (-want +got):\n%s", diff)
	}
	name := func(id string) trace.Record { return &trace.Container{ID: id, Name: "web"} }
	two := observe([]trace.Record{header("n1"), name("a"), name("b"), with("a", 2), with("b")})[0]
	if !two.Syscalls[0].ArgsOverflow {
		t.Error("a replica whose arguments were not recorded may have had others")
	}
	more := with("b", 3).(*trace.Syscall)
	more.ArgsOverflow = true
	three := observe([]trace.Record{header("n1"), name("a"), name("b"), with("a", 2), more})[0]
	if !three.Syscalls[0].ArgsOverflow || len(three.Syscalls[0].Args) != 2 {
		t.Errorf("a replica had more arguments than were kept: %+v", three.Syscalls[0])
	}
}

func TestObserveComms(t *testing.T) {
	var records []trace.Record
	for i := range 12 {
		c := call("a", 0, i)
		c.Comm = fmt.Sprintf("%c", 'l'-i)
		records = append(records, c)
	}
	got := observe(append([]trace.Record{header("n1")}, records...))[0].Syscalls[0].Comms
	if strings.Join(got, "") != "abcdefgh" {
		t.Errorf("comms %q, want the first eight in order", got)
	}
}

func TestRestarts(t *testing.T) {
	started := func(id string, s int) trace.Record {
		return &trace.Container{ID: id, Name: "web", Started: at(s)}
	}
	ended := func(id string, s int) trace.Record { return &trace.Exit{Container: id, Time: at(s)} }
	tests := []struct {
		name    string
		records []trace.Record
		want    int
	}{
		{"two replicas", []trace.Record{started("a", 1), started("b", 1), ended("a", 9), ended("b", 9)}, 0},
		{"one after the other", []trace.Record{started("a", 1), ended("a", 5), started("b", 6)}, 1},
		{"the same container again", []trace.Record{started("a", 1), ended("a", 5), started("a", 6)}, 1},
		{"and again", []trace.Record{started("a", 1), ended("a", 5), started("a", 6), ended("a", 7), started("a", 8)}, 2},
		{"one end, two starts", []trace.Record{started("a", 1), ended("a", 5), started("b", 6), started("c", 7)}, 1},
	}
	for _, tt := range tests {
		got := observe(append([]trace.Record{header("n1")}, tt.records...))[0].Evidence.Restarts
		if got != tt.want {
			t.Errorf("%s: %d restarts, want %d", tt.name, got, tt.want)
		}
	}
	elsewhere := observe(
		[]trace.Record{header("n1"), started("a", 1), ended("a", 5)},
		[]trace.Record{header("n2"), started("b", 6)},
	)[0].Evidence.Restarts
	if elsewhere != 0 {
		t.Errorf("on another node: %d restarts, want 0", elsewhere)
	}
}

// TestOrderDoesNotMatter mixes traces with one another and records within a
// trace.
func TestOrderDoesNotMatter(t *testing.T) {
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 4))
		var traces [][]trace.Record
		for i := range 1 + r.IntN(4) {
			traces = append(traces, randomTrace(r, i))
		}
		want := observe(traces...)
		for range 3 {
			got := mixed(r, traces).Observations()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("seed %d (-in order +mixed):\n%s", seed, diff)
			}
		}
	}
}

// mixed adds the records of all traces in a random order that keeps headers
// first in their trace and what is said of a container in order.
func mixed(r *rand.Rand, traces [][]trace.Record) *policies.Observer {
	queues := make([][]trace.Record, len(traces))
	for i, records := range traces {
		queues[i] = shuffled(r, records)
	}
	o := policies.NewObserver()
	for left := true; left; {
		left = false
		for _, i := range r.Perm(len(queues)) {
			if len(queues[i]) > 0 {
				o.Add(fmt.Sprintf("t%d", i), queues[i][0])
				queues[i] = queues[i][1:]
				left = true
			}
		}
	}
	return o
}

func shuffled(r *rand.Rand, records []trace.Record) []trace.Record {
	out := append([]trace.Record{}, records...)
	r.Shuffle(len(out)-1, func(i, j int) { out[i+1], out[j+1] = out[j+1], out[i+1] })
	var told []trace.Record
	for _, rec := range records {
		if _, ok := rec.(*trace.Container); ok {
			told = append(told, rec)
		}
	}
	for i, rec := range out {
		if _, ok := rec.(*trace.Container); ok {
			out[i], told = told[0], told[1:]
		}
	}
	return out
}

// randomTrace has few distinct values, so that facts meet.
func randomTrace(r *rand.Rand, i int) []trace.Record {
	head := header(fmt.Sprintf("n%d", r.IntN(2)))
	head.Start = at(r.IntN(3))
	list := []trace.Record{head}
	for range r.IntN(60) {
		id := string("abc"[r.IntN(3)])
		list = append(list, randomRecord(r, id))
	}
	for range r.IntN(3) {
		list = append(list, &trace.End{Time: at(100 + i), Lost: uint64(r.IntN(3)), Complete: "true"})
	}
	return list
}

func randomRecord(r *rand.Rand, id string) trace.Record {
	seen := trace.Sighting{Time: at(r.IntN(3)), PID: r.IntN(3), Comm: string("xyz"[r.IntN(3)])}
	switch r.IntN(12) {
	case 0:
		return &trace.Container{ID: id, Name: string("vw"[r.IntN(2)]), Started: at(r.IntN(3)), Existed: r.IntN(2) == 0}
	case 1, 2, 3:
		return &trace.Syscall{Container: id, Phase: trace.PhaseRun, Arch: "x86_64", Nr: 600 + r.IntN(2),
			Name: string("pq"[r.IntN(2)]), Sighting: seen, Args: []trace.Arg{{Value: r.Uint64N(2)}}}
	case 4:
		return &trace.Capability{Container: id, Phase: trace.PhaseRun, Name: "CHOWN",
			Syscall: string("op"[r.IntN(2)]), Sighting: seen}
	case 5:
		return &trace.Connect{Container: id, Protocol: "TCP", Remote: "10.0.0.1", Port: r.IntN(2),
			Result: "established", Source: "10.0.0.2", Local: r.IntN(3), Existing: r.IntN(2) == 0, Sighting: seen}
	case 6:
		return &trace.Accept{Container: id, Protocol: "TCP", Port: 80, Remote: "10.0.0.3", PeerPort: r.IntN(3), Sighting: seen}
	case 7:
		return &trace.Loss{Probe: "syscalls", Stage: "ring", Count: uint64(r.IntN(2)), Container: id}
	case 8:
		return &trace.Exit{Container: id, Time: at(r.IntN(3))}
	case 9:
		return &trace.File{Container: id, Access: trace.AccessWrite, Path: "/" + string("ab"[r.IntN(2)]),
			Place: trace.Place{Mount: "/"}, Overflow: r.IntN(2) == 0, Sighting: seen}
	case 10:
		return &trace.Exec{Container: id, Path: "/" + string("ab"[r.IntN(2)]), Place: trace.Place{Mount: "/"}, Sighting: seen}
	}
	return &trace.Counts{Container: id, Counts: []trace.Count{{Fact: "capability/CHOWN", Count: 2}}}
}
