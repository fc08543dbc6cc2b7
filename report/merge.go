package report

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"advisor/trace"
)

// Merge writes several traces as one to the file out, "-" being stdout, which
// is compressed where its name ends in .zst. Names are as in [Observe]. Nothing
// is written before everything is read, and no file is overwritten. Lines that
// cannot be read are returned.
func Merge(
	out string, names []string, stdin io.Reader, stdout io.Writer,
) ([]*trace.LineError, error) {
	var merge trace.Merge
	var bad []*trace.LineError
	for _, name := range unique(names) {
		err := withTrace(name, stdin, func(r *trace.Reader) error {
			lines, err := merge.Add(r)
			bad = append(bad, lines...)
			return err
		})
		if err != nil {
			return bad, err
		}
	}
	if out == "-" {
		return bad, writeTrace(&merge, stdout, false)
	}
	return bad, saveTrace(&merge, out)
}

// saveTrace writes a new file that only its owner can read, or none.
func saveTrace(merge *trace.Merge, name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("creating the merged trace: %w", err)
	}
	err = errors.Join(writeTrace(merge, f, strings.HasSuffix(name, ".zst")), f.Close())
	if err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

func writeTrace(merge *trace.Merge, out io.Writer, compress bool) error {
	w := trace.NewWriter(out)
	if compress {
		var err error
		if w, err = trace.NewZstdWriter(out); err != nil {
			return err
		}
	}
	return errors.Join(merge.Write(w), w.Close())
}
