package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"advisor/fixtures/synthetic"
	"advisor/report"
)

// benchRecords is about what a busy node says in a month.
const benchRecords = 1_000_000

// BenchmarkReport runs the whole command: it reads a trace, folds it, makes the
// policies of all kinds, proves them and prints the page. Beside it, in the same
// run, the trace is read alone, and by a general parser of JSON.
func BenchmarkReport(b *testing.B) {
	path := filepath.Join(b.TempDir(), "trace.log")
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	size, err := io.Copy(file, synthetic.Trace(benchRecords))
	if err != nil {
		b.Fatal(err)
	}
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(size)
	var whole, observed, parsed time.Duration
	for b.Loop() {
		whole += timed(func() { reportOn(b, path) })
		observed += timed(func() {
			if _, err := report.Observe([]string{path}, nil); err != nil {
				b.Fatal(err)
			}
		})
		parsed += timed(func() { parseJSON(b, path) })
	}
	b.ReportMetric(float64(whole)/float64(observed), "report/observe")
	b.ReportMetric(float64(whole)/float64(parsed), "report/json")
}

func timed(what func()) time.Duration {
	began := time.Now()
	what()
	return time.Since(began)
}

func reportOn(b *testing.B, path string) {
	var out, said bytes.Buffer
	args := []string{"report", "all", "--format", "html", path}
	if code := run(b.Context(), args, streams{out: &out, err: &said}); code != exitOK || out.Len() == 0 {
		b.Fatalf("exit code %d: %s", code, said.Bytes())
	}
}

// parseJSON does what a script would begin with.
func parseJSON(b *testing.B, path string) {
	file, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var record map[string]any
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
			b.Fatal(err)
		}
	}
	if err := lines.Err(); err != nil {
		b.Fatal(err)
	}
}
