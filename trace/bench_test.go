//go:build linux

package trace_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"advisor/fixtures/synthetic"
	"advisor/trace"
)

// BenchmarkReader reads the same facts over and over, and each fact once.
func BenchmarkReader(b *testing.B) {
	b.Run("repeated", func(b *testing.B) { benchmarkRead(b, 1_000_000) })
	b.Run("distinct", func(b *testing.B) {
		text, err := io.ReadAll(synthetic.Once(300))
		check(b, err)
		b.SetBytes(int64(len(text)))
		cpu, _ := spent(b)
		for b.Loop() {
			readAll(b, bytes.NewReader(text))
		}
		report(b, int64(len(text)), cpu)
	})
}

func benchmarkRead(b *testing.B, records int) {
	path := b.TempDir() + "/trace.log"
	size := writeRepeats(b, path, records)
	b.SetBytes(size)
	cpu, _ := spent(b)
	var highest uint64
	for b.Loop() {
		f, err := os.Open(path)
		check(b, err)
		highest = max(highest, readAll(b, f))
		check(b, f.Close())
	}
	b.ReportMetric(float64(highest)/(1<<20), "heap-MiB")
	report(b, size, cpu)
}

func writeRepeats(b *testing.B, path string, records int) int64 {
	f, err := os.Create(path)
	check(b, err)
	size, err := io.Copy(f, synthetic.Trace(records))
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
		if err != nil {
			b.Fatal(err)
		}
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
