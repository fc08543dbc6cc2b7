package report

import (
	"io"
	"os"

	"advisor/policies"
	"advisor/trace"
)

// DefaultTrace is read where no trace is named.
const DefaultTrace = "trace.log"

// Observed is what a number of traces say.
type Observed struct {
	Traces       []string // as they were named, each once, sorted
	Observations []policies.Observation
	Bad          []*trace.LineError // lines that could not be read
}

// Observe reads traces and folds them into one observation a workload. Names
// are paths; "-" is stdin, which is read once. A trace that breaks off or has
// bad lines is read as far as it goes, and its observations say so.
func Observe(names []string, stdin io.Reader) (Observed, error) {
	names = unique(names)
	seen := Observed{Traces: names}
	observer := policies.NewObserver()
	for _, name := range names {
		err := withTrace(name, stdin, func(r *trace.Reader) error {
			bad, err := observer.Read(r)
			seen.Bad = append(seen.Bad, bad...)
			return err
		})
		if err != nil {
			return Observed{}, err
		}
	}
	seen.Observations = observer.Observations()
	return seen, nil
}

// withTrace opens a trace and lets use read it.
func withTrace(name string, stdin io.Reader, use func(*trace.Reader) error) error {
	if name == "-" {
		return use(trace.NewReader(stdin, "stdin"))
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return use(trace.NewReader(f, name))
}
