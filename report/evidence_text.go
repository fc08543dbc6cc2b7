package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// SummaryText tells a person what a policy rests on: its proof, the quality of
// the evidence, what was assumed.
func (p Policy) SummaryText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: %s\n", p.Workload, p.Kind, p.Proof.Summary)
	fmt.Fprintf(&b, "  evidence: %s\n", EvidenceLine(p.Evidence))
	for _, doubt := range Doubts(p.Evidence) {
		fmt.Fprintf(&b, "  doubt: %s\n", doubt)
	}
	for _, note := range p.Notes {
		fmt.Fprintf(&b, "  note: %s\n", note)
	}
	for _, line := range p.aloneLines() {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// EvidenceText is a line for each thing that a policy allows: why, and who did
// it when. Lines without a sighting were not observed, and say why they are
// there. What was granted and not needed is one line, for all of it.
func (p Policy) EvidenceText(w io.Writer) error {
	var rows [][4]string
	var widths [3]int
	var unused []string
	for _, l := range p.Lines {
		if l.Reason == reasonUnused && l.Verified == nil {
			unused = append(unused, l.Subject)
			continue
		}
		row := [4]string{l.Subject, l.Reason, l.Phase, l.evidence()}
		for c := range widths {
			widths[c] = max(widths[c], utf8.RuneCountInString(row[c]))
		}
		rows = append(rows, row)
	}
	var b strings.Builder
	for _, cells := range rows {
		b.WriteString("  ")
		for c, width := range widths {
			if width > 0 {
				b.WriteString(cells[c] + strings.Repeat(" ", width-utf8.RuneCountInString(cells[c])+2))
			}
		}
		b.WriteString(cells[3] + "\n")
	}
	if len(unused) > 0 {
		b.WriteString(wrapped("  unused: ", strings.Join(unused, ", ")+" ("+detailUnused+")") + "\n")
	}
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

func (l Line) evidence() string {
	var parts []string
	if l.Seen != nil {
		parts = append(parts, seenLine(*l.Seen))
	}
	if l.Detail != "" {
		parts = append(parts, l.Detail)
	}
	if l.Verified != nil {
		parts = append(parts, "verified: "+l.Verified.Word())
	}
	return strings.Join(parts, "; ")
}

func trimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}
