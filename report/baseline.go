package report

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var fingerprint = regexp.MustCompile(`^[0-9a-f]{32}$`)

// Baseline is a file of the findings there are, which [ParseBaseline] reads: a
// line for each with its fingerprint, sorted, and what it was for people.
func (r *Report) Baseline() []byte {
	var lines []string
	for _, f := range r.Findings {
		lines = append(lines, fmt.Sprintf("%s %s %s %s", f.Fingerprint, f.Rule, f.Workload, f.Subject))
	}
	for _, i := range r.Ignored {
		if i.Reason == inBaseline {
			lines = append(lines, fmt.Sprintf("%s %s %s %s", i.Fingerprint, i.Rule, i.Workload, i.Subject))
		}
	}
	slices.Sort(lines)
	lines = slices.Compact(lines)
	return []byte(strings.Join(append(lines, ""), "\n"))
}

// inBaseline is why a finding of the baseline does not count.
const inBaseline = "in the baseline"

// ParseBaseline returns the fingerprints of a baseline. Empty lines and lines
// that begin with "#" are passed over.
func ParseBaseline(file string, text []byte) ([]string, error) {
	var list []string
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		word, _, _ := strings.Cut(line, " ")
		if !fingerprint.MatchString(word) {
			return nil, fmt.Errorf("%s:%d: %q is no fingerprint of a finding", file, n, word)
		}
		list = append(list, word)
	}
	return list, nil
}
