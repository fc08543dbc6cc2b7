package monitor

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// loop is a child that makes calls when asked to and says what they cost it.
type loop struct {
	in  io.Writer
	out *bufio.Reader
}

// newLoop starts one, in a mount namespace of its own where contained.
func newLoop(b *testing.B, contained bool, wrapper ...string) *loop {
	b.Helper()
	return newAct(b, "loop", contained, wrapper...)
}

func newAct(b *testing.B, act string, contained bool, wrapper ...string) *loop {
	b.Helper()
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	args := append(wrapper, exe, "act", act)
	cmd := exec.Command(args[0], args[1:]...)
	if contained {
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	return &loop{in, bufio.NewReader(out)}
}

// cost is the CPU time of one getppid, in ns.
func (l *loop) cost(b *testing.B, n int) float64 {
	b.Helper()
	fmt.Fprintln(l.in, n)
	var ns float64
	if _, err := fmt.Fscanln(l.out, &ns); err != nil {
		b.Fatal(err)
	}
	return ns / float64(n)
}

// least is the cost of a call at its best of a few short runs: what disturbs one
// of them only adds.
func (l *loop) least(b *testing.B) float64 {
	b.Helper()
	best := l.cost(b, 40_000)
	for range 4 {
		best = min(best, l.cost(b, 40_000))
	}
	return best
}

// recorder starts one and returns what stops it.
func recorder(b *testing.B, o Options) (stop func() Result) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	ready, done := make(chan error, 2), make(chan Result, 1)
	o.Output = filepath.Join(b.TempDir(), "trace.log")
	o.Ready = func(Status) { ready <- nil }
	go func() {
		res, err := Run(ctx, o)
		ready <- err
		done <- res
	}()
	if err := <-ready; err != nil {
		cancel()
		skipOrFail(b, err)
	}
	return func() Result {
		cancel()
		return <-done
	}
}

// ways of being recorded: what is asked of the recorder for each.
func ways() []struct {
	name string
	o    Options
} {
	return []struct {
		name string
		o    Options
	}{
		{"", Options{Denied: "off", Outcomes: "off"}},
		{"+exit", Options{Denied: "on", Outcomes: "on"}},
		{"+counts", Options{Denied: "off", Outcomes: "off", Counts: true}},
		{"+strict", Options{Denied: "off", Outcomes: "off", StrictCompat: true}},
	}
}

// BenchmarkCall is the cost of a system call that was seen before: without a
// probe, under an empty one, under one that counts, and under the recorder,
// traced and not. The rounds are interleaved, so that what else the machine does
// hits all alike; the figures are medians, in ns, and of what is compared within
// a round the medians of the differences.
func BenchmarkCall(b *testing.B) {
	if err := privileged(Options{}); err != nil {
		skipOrFail(b, err)
	}
	const rounds = 9
	host, inside := newLoop(b, false), newLoop(b, true)
	cost := make(map[string][]float64)
	measure := func(name string, l *loop) { cost[name] = append(cost[name], l.least(b)) }
	for range rounds {
		measure("bare", host)
		l := probe(b, emptyProgram())
		measure("empty", host)
		l.Close()
		countCalls(b, func() { measure("counting", host) })
		bpftrace(b, func() { measure("bpftrace", host) })
		for _, way := range ways() {
			stop := recorder(b, way.o)
			inside.cost(b, 1000)
			measure("traced"+way.name, inside)
			measure("untraced"+way.name, host)
			stop()
		}
	}
	report(b, cost)
	if added := median(minus(cost["traced"], cost["bare"])); added > 0 {
		b.ReportMetric((strace(b)-median(cost["bare"]))/added, "strace/recorder")
	}
}

// report prints what the calls cost, and the comparisons that have a bar.
func report(b *testing.B, cost map[string][]float64) {
	bare := median(cost["bare"])
	for name, list := range cost {
		b.ReportMetric(median(list), name+"-ns")
		b.ReportMetric(median(list)/bare, name+"/bare")
	}
	b.ReportMetric(median(minus(cost["traced"], cost["empty"])), "over-floor-ns")
	b.ReportMetric(median(minus(cost["untraced"], cost["empty"])), "untraced-over-floor-ns")
	b.ReportMetric(median(minus(cost["traced+counts"], cost["traced"])), "counts-added-ns")
	b.ReportMetric(median(minus(cost["traced+strict"], cost["traced"])), "strict-added-ns")
	added := median(minus(cost["traced"], cost["bare"]))
	for _, peer := range []string{"counting", "bpftrace"} {
		if len(cost[peer]) > 0 && added > 0 {
			b.ReportMetric(median(minus(cost[peer], cost["bare"]))/added, peer+"/recorder")
		}
	}
	b.ReportMetric(0, "ns/op")
}

// minus is the difference in each round.
func minus(a, b []float64) []float64 {
	n := min(len(a), len(b))
	list := make([]float64, n)
	for i := range list {
		list[i] = a[i] - b[i]
	}
	return list
}

// strace is the time of one call under strace, in ns: what it adds is waiting,
// which no clock of the thread shows. 0 without strace.
func strace(b *testing.B) float64 {
	b.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		return 0
	}
	const calls = 5000
	l := newLoop(b, false, "strace", "-f", "-qq", "-c", "-o", os.DevNull)
	l.cost(b, 10)
	start := time.Now()
	l.cost(b, calls)
	return float64(time.Since(start)) / calls
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}
