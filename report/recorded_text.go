package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"advisor/policies/seccomp"
)

// compared says that the report holds what was observed against manifests.
// Else it is that of [Recorded]: what was seen, and the policies made of it.
func (r *Report) compared() bool {
	return len(r.Manifests) > 0 || len(r.Findings)+len(r.Ignored) > 0 ||
		!slices.ContainsFunc(r.Workloads, func(w Workload) bool { return len(w.Policies) > 0 })
}

// recordedLine is what there is, in one line.
func (r *Report) recordedLine() string {
	observed, made := 0, 0
	for _, w := range r.Workloads {
		made += len(w.Policies)
		if w.Observed {
			observed++
		}
	}
	return fmt.Sprintf("%s, %s, proven against what was recorded",
		plural(observed, "workload"), pluralOf(made, "policy", "policies"))
}

// recordedText is the report of a recording for people: for each workload what
// its policies allow, why, and how far that can be trusted.
func (r *Report) recordedText(b *strings.Builder, style Style) error {
	for _, w := range r.Workloads {
		fmt.Fprintln(b, style.bold(workloadTitle(w.Workload)))
		for _, p := range byKind(w.Policies) {
			fmt.Fprintf(b, "  %s: %s\n", style.bold(p.Kind), p.Proof.Summary)
			if err := p.linesText(b); err != nil {
				return err
			}
			for _, note := range p.Notes {
				fmt.Fprintln(b, wrapped("    note: ", note))
			}
			for _, line := range p.aloneLines() {
				fmt.Fprintln(b, "    "+line)
			}
		}
		if w.Observed {
			fmt.Fprintln(b, style.dim("evidence: "+EvidenceLine(w.Evidence)))
			for _, doubt := range Doubts(w.Evidence) {
				fmt.Fprintln(b, style.dim("  "+doubt))
			}
		}
	}
	r.textStandings(b, style)
	fmt.Fprintln(b, style.bold(r.recordedLine()))
	return nil
}

// byKind is policies in the order of reports.
func byKind(list []Policy) []Policy {
	return slices.SortedStableFunc(slices.Values(list), func(a, b Policy) int {
		return cmp.Compare(slices.Index(Kinds(), a.Kind), slices.Index(Kinds(), b.Kind))
	})
}

// linesText is what a policy allows. System calls are too many for a line each.
func (p Policy) linesText(b *strings.Builder) error {
	if p.Kind == KindSeccomp {
		for _, group := range p.byReason() {
			fmt.Fprintln(b, wrapped("    "+group.reason+": ", strings.Join(group.subjects, ", ")))
		}
		return nil
	}
	var lines strings.Builder
	if err := p.EvidenceText(&lines); err != nil {
		return err
	}
	for line := range strings.Lines(lines.String()) {
		b.WriteString("  " + line)
	}
	return nil
}

// reasonGroup is what a policy allows for one reason.
type reasonGroup struct {
	reason   string
	subjects []string
}

func (p Policy) byReason() []reasonGroup {
	var groups []reasonGroup
	for _, l := range p.Lines {
		at := slices.IndexFunc(groups, func(g reasonGroup) bool { return g.reason == l.Reason })
		if at < 0 {
			at = len(groups)
			groups = append(groups, reasonGroup{reason: l.Reason})
		}
		groups[at].subjects = append(groups[at].subjects, l.Subject)
	}
	// What was observed comes first, then what was added to it.
	slices.SortStableFunc(groups, func(a, b reasonGroup) int {
		return cmp.Compare(added(a.reason), added(b.reason))
	})
	return groups
}

func added(reason string) int {
	if reason == string(seccomp.Workload) {
		return 0
	}
	return 1
}

// textWidth is how wide running text gets, in characters.
const textWidth = 100

// wrapped breaks a text between words. Lines after the first are set in below
// where the text begins.
func wrapped(head, text string) string {
	indent := strings.Repeat(" ", utf8.RuneCountInString(head))
	lines := []string{head}
	width := len(indent)
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i > 0 && width+1+n > textWidth:
			lines = append(lines, indent+word)
			width = len(indent) + n
			continue
		case i > 0:
			word = " " + word
			n++
		}
		lines[len(lines)-1] += word
		width += n
	}
	return strings.Join(lines, "\n")
}
