package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Differences is a comparison of two sets of policies as it is shown.
type Differences struct {
	Schema      string       `json:"schema"`
	Old         string       `json:"old"`
	New         string       `json:"new"`
	Differences []Difference `json:"differences"`
	Problems    []Problem    `json:"problems,omitempty"`
}

// CompareSchema is the value of [Differences.Schema].
const CompareSchema = "advisor.compare/v1"

// Text prints the differences, a line each, and one line of counts last.
func (d Differences) Text(w io.Writer) error {
	d, err := cleaned(d)
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, p := range d.Problems {
		fmt.Fprintln(&b, p)
	}
	var widths [4]int
	for _, change := range d.Differences {
		for i, cell := range change.cells() {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	count := make(map[Effect]int)
	for _, change := range d.Differences {
		count[change.Effect]++
		line := change.Effect.mark() + " "
		for i, cell := range change.cells() {
			line += cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2)
		}
		line += change.Change
		if at := change.Position.String(); at != "" {
			line += "  " + at
		}
		fmt.Fprintln(&b, line)
	}
	fmt.Fprintf(&b, "%d looser, %d tighter, %d changed\n", count[Looser], count[Tighter], count[Other])
	_, err = io.WriteString(w, b.String())
	return err
}

func (d Difference) cells() [4]string {
	workload := ""
	if d.Workload.Name != "" {
		workload = d.Workload.String()
	}
	return [4]string{string(d.Effect), d.Kind, workload, d.Subject}
}

func (e Effect) mark() string {
	switch e {
	case Looser:
		return "+"
	case Tighter:
		return "-"
	}
	return "~"
}

// JSON prints the differences as one object.
func (d Differences) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(d)
}

// Markdown prints the differences for a comment, as one table.
func (d Differences) Markdown(w io.Writer) error {
	d, err := cleaned(d)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n| | kind | workload | subject | change |\n|---|---|---|---|---|\n", markdownMarker)
	for i, change := range d.Differences {
		row := fmt.Sprintf("| %s | %s | %s | %s | %s |\n", change.Effect, change.Kind,
			cell(change.cells()[2]), code(change.Subject), cell(change.Change))
		if b.Len()+len(row) > markdownLimit {
			fmt.Fprintf(&b, "\n%s more; the JSON form has all of them.\n", plural(len(d.Differences)-i, "difference"))
			break
		}
		b.WriteString(row)
	}
	_, err = io.WriteString(w, b.String())
	return err
}
