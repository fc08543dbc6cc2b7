package report

import (
	"fmt"
	"strings"
)

// markdownRecorded is a workload with its policies: the reasons as a table, and
// the text to copy. Of system calls there are too many for rows, and a profile
// is a file.
func markdownRecorded(w Workload) string {
	var b strings.Builder
	var kinds []string
	for _, p := range byKind(w.Policies) {
		kinds = append(kinds, p.Kind)
	}
	fmt.Fprintf(&b, "\n<details><summary><b>%s</b>: %s</summary>\n",
		cell(w.Workload.String()), cell(strings.Join(kinds, ", ")))
	for _, p := range byKind(w.Policies) {
		fmt.Fprintf(&b, "\n**%s**: %s\n\n", p.Kind, cell(p.Proof.Summary))
		if p.Kind == KindSeccomp {
			p.markdownCalls(&b)
		} else {
			p.markdownLines(&b)
			// Longer than any fence that the text could have.
			fmt.Fprintf(&b, "\n````yaml\n%s````\n", strings.ReplaceAll(p.Text, "````", "'```"))
		}
		for _, note := range p.Notes {
			fmt.Fprintf(&b, "\n- %s\n", cell(note))
		}
		for i, line := range p.aloneLines() {
			bullet := map[bool]string{true: "\n- ", false: "  - "}[i == 0]
			fmt.Fprintf(&b, "%s%s\n", bullet, cell(strings.TrimSpace(line)))
		}
	}
	if w.Observed {
		markdownEvidence(&b, w.Evidence)
	}
	b.WriteString("\n</details>\n")
	return b.String()
}

func (p Policy) markdownCalls(b *strings.Builder) {
	b.WriteString("| allowed for | calls |\n|---|---|\n")
	for _, g := range p.byReason() {
		fmt.Fprintf(b, "| %s | %s |\n", cell(g.reason), code(strings.Join(g.subjects, ", ")))
	}
}

func (p Policy) markdownLines(b *strings.Builder) {
	if len(p.Lines) == 0 {
		return
	}
	b.WriteString("| | | evidence |\n|---|---|---|\n")
	for _, l := range p.Lines {
		fmt.Fprintf(b, "| %s | %s | %s |\n", code(l.Subject), cell(l.Reason), cell(l.evidence()))
	}
}
