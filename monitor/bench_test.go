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

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"advisor/monitor/container"
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

// empty attaches a program that does nothing to sys_enter: what no recorder of
// system calls can beat.
func empty(b *testing.B) link.Link {
	b.Helper()
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.RawTracepoint, License: "GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
	})
	if err != nil {
		skipOrFail(b, err)
	}
	defer prog.Close()
	l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: "sys_enter", Program: prog})
	if err != nil {
		skipOrFail(b, err)
	}
	return l
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

// BenchmarkCall is the cost of a system call that was seen before: without a
// probe, under an empty one, and under the recorder, traced and not. The rounds
// are interleaved, so that what else the machine does hits all alike; the
// figures are medians, in ns, and ratios to a call without a probe.
func BenchmarkCall(b *testing.B) {
	if err := privileged(Options{}); err != nil {
		skipOrFail(b, err)
	}
	const calls, rounds = 200_000, 9
	host, inside := newLoop(b, false), newLoop(b, true)
	cost := make(map[string][]float64)
	measure := func(name string, l *loop) {
		cost[name] = append(cost[name], l.cost(b, calls))
	}
	for range rounds {
		measure("bare", host)
		l := empty(b)
		measure("empty", host)
		l.Close()
		for _, exits := range []string{"off", "on"} {
			stop := recorder(b, Options{Denied: exits, Outcomes: exits})
			name := map[string]string{"off": "", "on": "+exit"}[exits]
			inside.cost(b, 1000)
			measure("traced"+name, inside)
			measure("untraced"+name, host)
			stop()
		}
	}
	bare := median(cost["bare"])
	if added := median(cost["traced"]) - bare; added > 0 {
		b.ReportMetric((strace(b)-bare)/added, "strace/recorder")
	}
	for name, list := range cost {
		b.ReportMetric(median(list), name+"-ns")
		b.ReportMetric(median(list)/bare, name+"/bare")
	}
	b.ReportMetric(median(cost["traced"])-median(cost["empty"]), "over-floor-ns")
	b.ReportMetric(0, "ns/op")
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

// BenchmarkStart is how long it takes until everything is recorded.
func BenchmarkStart(b *testing.B) {
	if err := privileged(Options{}); err != nil {
		skipOrFail(b, err)
	}
	for range b.N {
		p, _, err := open(Options{})
		if err != nil {
			skipOrFail(b, err)
		}
		b.StopTimer()
		if err := p.close(); err != nil {
			b.Error(err)
		}
		b.StartTimer()
	}
}

// BenchmarkThousandContainers is the memory of the recorder, and of the test
// around it, while a thousand containers are there.
func BenchmarkThousandContainers(b *testing.B) {
	if err := privileged(Options{}); err != nil {
		skipOrFail(b, err)
	}
	for range b.N {
		stop := recorder(b, Options{Selection: container.Selection{Host: true}})
		all := newAct(b, "crowd", false)
		if line, err := all.out.ReadString('\n'); err != nil || line != "ready\n" {
			b.Fatalf("%q: %v", line, err)
		}
		time.Sleep(4 * time.Second)
		resident, err := os.ReadFile("/proc/self/statm")
		if err != nil {
			b.Fatal(err)
		}
		var total, pages int
		if _, err := fmt.Sscan(string(resident), &total, &pages); err != nil {
			b.Fatal(err)
		}
		res := stop()
		b.ReportMetric(float64(pages*os.Getpagesize())/1e6, "resident-MB")
		b.ReportMetric(float64(res.Containers), "containers")
		b.ReportMetric(float64(res.Lost), "lost")
	}
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

// BenchmarkMillionCalls is what a million calls of one container leave behind.
func BenchmarkMillionCalls(b *testing.B) {
	if err := privileged(Options{}); err != nil {
		skipOrFail(b, err)
	}
	inside := newLoop(b, true)
	for range b.N {
		stop := recorder(b, Options{})
		inside.cost(b, 1_000_000)
		res := stop()
		b.ReportMetric(float64(res.Bytes), "trace-bytes/Mcalls")
		b.ReportMetric(float64(res.Records), "trace-lines/Mcalls")
	}
}
