package trace_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"advisor/trace"
)

// repeats is a trace that says the same facts over and over, as many nodes and
// days give them: it makes up lines as they are read.
type repeats struct {
	facts   []trace.Record
	records int // left to say
	said    int
	buf     bytes.Buffer
	w       *trace.Writer
}

func newRepeats(records int) *repeats {
	r := &repeats{facts: syntheticFacts(20), records: records}
	r.w = trace.NewWriter(&r.buf)
	return r
}

func (r *repeats) Read(p []byte) (int, error) {
	for r.buf.Len() < len(p) && r.said <= r.records+1 {
		if err := r.w.Write(r.next()); err != nil {
			return 0, err
		}
		if r.said++; r.said%64 == 0 || r.said > r.records {
			if err := r.w.Flush(); err != nil {
				return 0, err
			}
		}
	}
	return r.buf.Read(p)
}

func (r *repeats) next() trace.Record {
	switch {
	case r.said == 0:
		return &trace.Header{Schema: trace.Schema, Node: "n1", Boot: "b1"}
	case r.said == r.records+1:
		return &trace.End{Complete: trace.CompleteTrue}
	}
	rec := r.facts[r.said%len(r.facts)]
	at := trace.Sighting{
		Time: time.Unix(1790000000, int64(r.said)*1_000_003).UTC(), PID: 1000 + r.said%30000, Comm: "nginx",
	}
	switch f := rec.(type) {
	case *trace.Syscall:
		at.Exe, f.Sighting = "/usr/sbin/nginx", at
	case *trace.Capability:
		f.Sighting = at
	case *trace.Connect:
		f.Sighting, f.Local = at, 32768+r.said%28000
	}
	return rec
}

// syntheticFacts are 158 facts in each of n containers.
func syntheticFacts(n int) []trace.Record {
	var list []trace.Record
	for c := range n {
		id := strings.Repeat(fmt.Sprintf("%02x", c), 32)
		for nr := range 130 {
			list = append(list, &trace.Syscall{Container: id, Phase: trace.PhaseRun, Filtered: true,
				Arch: "x86_64", Nr: nr, Name: trace.SyscallName("x86_64", nr)})
		}
		for nr := range 8 {
			list = append(list, &trace.Capability{Container: id, Phase: trace.PhaseRun, Allowed: true,
				Name: trace.CapabilityName(nr), Syscall: "openat", Outcome: trace.OutcomeOK,
				UserNS: trace.UserNSHost, Site: "ns_capable", Audit: trace.AuditTrue})
		}
		for peer := range 20 {
			list = append(list, &trace.Connect{Container: id, Protocol: trace.TCP, Port: 5432,
				Remote: "10.1.2." + strconv.Itoa(peer), Source: "10.1.3.4", Result: trace.ResultEstablished})
		}
	}
	return list
}

// BenchmarkReader reads the same facts over and over, and each fact once. The
// heap must not grow with the records.
func BenchmarkReader(b *testing.B) {
	for _, n := range []int{1_000_000, 10_000_000} {
		b.Run(fmt.Sprintf("repeated=%d", n), func(b *testing.B) { benchmarkRead(b, n) })
	}
	b.Run("distinct", func(b *testing.B) {
		var text bytes.Buffer
		w := trace.NewWriter(&text)
		check(b, w.Write(&trace.Header{Schema: trace.Schema}))
		for _, f := range syntheticFacts(300) {
			check(b, w.Write(f))
		}
		check(b, w.Write(&trace.End{Complete: trace.CompleteTrue}))
		check(b, w.Flush())
		b.SetBytes(int64(text.Len()))
		for b.Loop() {
			readAll(b, bytes.NewReader(text.Bytes()))
		}
	})
}

func benchmarkRead(b *testing.B, records int) {
	path := b.TempDir() + "/trace.log"
	size := writeRepeats(b, path, records)
	b.SetBytes(size)
	var highest uint64
	for b.Loop() {
		f, err := os.Open(path)
		check(b, err)
		highest = max(highest, readAll(b, f))
		check(b, f.Close())
	}
	b.ReportMetric(float64(highest)/(1<<20), "heap-MiB")
	b.ReportMetric(peakRSS(b), "peak-rss-MiB")
}

func writeRepeats(b *testing.B, path string, records int) int64 {
	f, err := os.Create(path)
	check(b, err)
	size, err := io.Copy(f, newRepeats(records))
	check(b, err)
	check(b, f.Close())
	return size
}

// readAll reads a trace to its end and returns the highest heap seen.
func readAll(b *testing.B, in io.Reader) uint64 {
	r := trace.NewReader(in, "trace.log")
	var highest uint64
	for n := 0; ; n++ {
		_, err := r.Next()
		if errors.Is(err, io.EOF) {
			return highest
		}
		check(b, err)
		if n%500_000 == 0 {
			highest = max(highest, heap())
		}
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

// peakRSS is the most memory this process ever had, where /proc says so.
func peakRSS(b *testing.B) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.Atoi(strings.Fields(value)[0])
			check(b, err)
			return float64(kib) / 1024
		}
	}
	return 0
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
