package report

import (
	"fmt"
	"io"
	"strings"
)

// Names prints one line a finding with nothing in it that needs parsing:
// class, rule, workload, subject and place, between tabs.
func (r *Report) Names(w io.Writer) error {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\t%s\n", f.Class, f.Rule, f.Workload, f.Subject, f.Position)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
