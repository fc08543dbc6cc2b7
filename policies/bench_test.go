//go:build linux

package policies_test

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"advisor/fixtures/synthetic"
	"advisor/policies"
	"advisor/trace"
)

// BenchmarkObserve reads and folds a trace that says the same facts over and
// over. What the observer keeps must be the same for ten times the records.
func BenchmarkObserve(b *testing.B) {
	for _, n := range []int{1_000_000, 10_000_000} {
		b.Run(fmt.Sprintf("records=%d", n), func(b *testing.B) {
			path := b.TempDir() + "/trace.log"
			size := save(b, path, n)
			b.SetBytes(size)
			cpu, _ := spent(b)
			var kept uint64
			for b.Loop() {
				kept = max(kept, observeFile(b, path))
			}
			b.ReportMetric(float64(kept)/(1<<20), "kept-MiB")
			report(b, size, cpu)
		})
	}
}

func save(b *testing.B, path string, records int) int64 {
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	size, err := io.Copy(f, synthetic.Trace(records))
	if err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return size
}

// observeFile returns how much memory the observer holds at the end.
func observeFile(b *testing.B, path string) uint64 {
	before := live()
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	o := policies.NewObserver()
	bad, err := o.Read(trace.NewReader(f, "trace.log"))
	if err != nil || len(bad) > 0 {
		b.Fatal(err, bad)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	kept := live() - before
	if got := len(o.Observations()); got != synthetic.Containers/4 {
		b.Fatalf("%d workloads", got)
	}
	return kept
}

// live is the heap in use after a collection.
func live() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// spent is the processor time and the most memory of this process so far.
func spent(b *testing.B) (cpu time.Duration, peakMiB float64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), float64(u.Maxrss) / 1024
}

// report says what the loop of a benchmark cost since cpu was spent. Other
// work on the machine slows the clock's MB/s, not that of the processor.
func report(b *testing.B, size int64, cpu time.Duration) {
	now, peak := spent(b)
	b.ReportMetric(float64(size)*float64(b.N)/1e6/(now-cpu).Seconds(), "MB/cpu-s")
	b.ReportMetric(peak, "peak-rss-MiB")
}
