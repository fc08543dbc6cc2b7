package monitor

import (
	"bytes"
	"syscall"
	"testing"

	"advisor/trace"
)

// TestFailureIsOfTheFormat: whatever errno a connection ends with, the trace
// takes its record.
func TestFailureIsOfTheFormat(t *testing.T) {
	for err := range syscall.Errno(256) {
		rec := &trace.Connect{
			Container: "c", Protocol: trace.TCP, Remote: "192.0.2.1", Port: 80, Result: failure(err),
		}
		var out bytes.Buffer
		w := trace.NewWriter(&out)
		head := &trace.Header{Schema: trace.Schema}
		if werr := w.Write(head); werr != nil {
			t.Fatal(werr)
		}
		if werr := w.Write(rec); werr != nil {
			t.Errorf("errno %d: %v", err, werr)
		}
	}
	if got := failure(syscall.EHOSTUNREACH); got != trace.ResultUnreachable {
		t.Errorf("EHOSTUNREACH is %s", got)
	}
}
