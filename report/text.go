package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"advisor/policies"
)

// Text prints the findings for people: by workload, worst first, with the
// evidence that each verdict rests on, and one line of counts last. Of a report
// that compares nothing it prints what the policies allow, and why.
func (r *Report) Text(w io.Writer, style Style) error {
	var b strings.Builder
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "%s\n", style.dim(p.String()))
	}
	if !r.compared() {
		if err := r.recordedText(&b, style); err != nil {
			return err
		}
		_, err := io.WriteString(w, b.String())
		return err
	}
	for _, group := range byWorkload(r.Findings) {
		r.textGroup(&b, group, style)
	}
	r.textStandings(&b, style)
	for _, line := range r.auditLines() {
		fmt.Fprintln(&b, line)
	}
	fmt.Fprintln(&b, style.bold(r.CountLine()))
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) textGroup(b *strings.Builder, group []policies.Finding, style Style) {
	w := group[0].Workload
	fmt.Fprintln(b, style.bold(workloadTitle(w)))
	group = crowded(group)
	widths := columnWidths(group)
	narrow := style.Width > 0 && slices.ContainsFunc(group, func(f policies.Finding) bool {
		return utf8.RuneCountInString(findingLine(f, widths, Style{})) > style.Width
	})
	for _, f := range group {
		if narrow {
			narrowFinding(b, f, style)
			continue
		}
		fmt.Fprintln(b, strings.TrimRight(findingLine(f, widths, style), " "))
	}
	if e, ok := r.evidence(w); ok {
		fmt.Fprintf(b, "%s\n", style.dim("evidence: "+EvidenceLine(e)))
		for _, doubt := range Doubts(e) {
			fmt.Fprintf(b, "%s\n", style.dim("  "+doubt))
		}
	}
}

// textStandings names the pods that could meet a stricter level of the Pod
// Security Standards than they do. What is in the way, and where the others
// stand, other forms say.
func (r *Report) textStandings(b *strings.Builder, style Style) {
	for _, st := range r.PodSecurity {
		if st.Today.Level == st.Could.Level {
			continue
		}
		fmt.Fprintf(b, "%s  %s  %s\n", style.bold(st.Workload.String()), standingHead(st), st.Position)
	}
}

// workloadTitle sets the container apart from the workload.
func workloadTitle(w policies.Workload) string {
	return strings.Replace(w.String(), " container=", "  container=", 1)
}

// evidence is that of a workload or, where a finding is of the whole pod, of
// its containers together.
func (r *Report) evidence(w policies.Workload) (policies.Evidence, bool) {
	var joined policies.Evidence
	found := false
	for _, known := range r.Workloads {
		if !known.Observed || known.Workload != w && (w.Container != "" || !samePod(known.Workload, w)) {
			continue
		}
		if found {
			joined = joinEvidence(joined, known.Evidence)
		} else {
			joined, found = known.Evidence, true
		}
	}
	return joined, found
}

// findingLine is mark, class, rule, subject, message and place.
func findingLine(f policies.Finding, widths [4]int, style Style) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %s ", style.class(f.Class, mark(f.Class)))
	for i, cell := range cells(f) {
		text := cell
		if i == 0 {
			text = style.class(f.Class, cell)
		}
		b.WriteString(text + strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(cell))+2))
	}
	b.WriteString(f.Position.String())
	return b.String()
}

// narrowFinding has what is found in one line, and below it why, and where.
func narrowFinding(b *strings.Builder, f policies.Finding, style Style) {
	fmt.Fprintf(b, "  %s %s  %s  %s\n", style.class(f.Class, mark(f.Class)), style.class(f.Class, string(f.Class)), f.Rule, f.Subject)
	for _, line := range append(folded(f.Message, style.Width-6), f.Position.String()) {
		if line != "" {
			fmt.Fprintf(b, "      %s\n", line)
		}
	}
}

// folded breaks a text between words, so that lines are of a width where the
// words let them.
func folded(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

func cells(f policies.Finding) [4]string {
	return [4]string{string(f.Class), f.Rule, f.Subject, f.Message}
}

// widest is the cell that others are still lined up with.
const widest = 72

func columnWidths(group []policies.Finding) [4]int {
	var widths [4]int
	for _, f := range group {
		for i, cell := range cells(f) {
			if n := utf8.RuneCountInString(cell); n <= widest {
				widths[i] = max(widths[i], n)
			}
		}
	}
	return widths
}

// mark shows a class without colour.
func mark(c policies.Class) string {
	switch c {
	case policies.Missing:
		return "!"
	case policies.Invalid:
		return "x"
	case policies.Unprotected:
		return "~"
	case policies.Excess:
		return "-"
	}
	return "?"
}

// CountLine is the verdict in one line: "2 missing, 1 excess, 0 unprotected; 1
// ignored".
func (r *Report) CountLine() string {
	parts := []string{
		fmt.Sprintf("%d missing", r.Count(policies.Missing)),
		fmt.Sprintf("%d excess", r.Count(policies.Excess)),
		fmt.Sprintf("%d unprotected", r.Count(policies.Unprotected)),
	}
	for _, class := range []policies.Class{policies.Invalid, policies.Unknown} {
		if n := r.Count(class); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, class))
		}
	}
	line := strings.Join(parts, ", ")
	if n := len(r.Ignored); n > 0 {
		line += fmt.Sprintf("; %d ignored%s", n, r.expiry())
	}
	return line
}

// expiry says how many of the ignored findings come back soon.
func (r *Report) expiry() string {
	var soon []int
	for _, i := range r.Ignored {
		if i.DaysLeft != nil {
			soon = append(soon, *i.DaysLeft)
		}
	}
	if len(soon) == 0 {
		return ""
	}
	if len(soon) == 1 {
		return fmt.Sprintf(" (1 expires in %s)", plural(soon[0], "day"))
	}
	return fmt.Sprintf(" (%d expire, the first in %s)", len(soon), plural(slices.Min(soon), "day"))
}

// auditLines tell of ignore entries that do nothing.
func (r *Report) auditLines() []string {
	var lines []string
	for _, a := range r.Audit {
		switch a.State {
		case IgnoreUnused:
			lines = append(lines, fmt.Sprintf("%s: the ignore entry for %s matches nothing", a.Position, a.Rule))
		case IgnoreExpired:
			lines = append(lines, fmt.Sprintf("%s: the ignore entry for %s expired on %s", a.Position, a.Rule, a.Expires))
		}
	}
	return lines
}

// crowd is how many findings of one rule about one workload are shown each on
// a line of its own, where none of them breaks anything.
const crowd = 12

// crowded joins what would fill the screen with lines that say the same.
func crowded(group []policies.Finding) []policies.Finding {
	count := make(map[string]int)
	for _, f := range group {
		if f.Class == policies.Excess {
			count[f.Rule]++
		}
	}
	var list []policies.Finding
	subjects := make(map[string][]string)
	for _, f := range group {
		if count[f.Rule] <= crowd || f.Class != policies.Excess {
			list = append(list, f)
			continue
		}
		if subjects[f.Rule] == nil {
			list = append(list, f)
		}
		subjects[f.Rule] = append(subjects[f.Rule], f.Subject)
	}
	for i, f := range list {
		if all := subjects[f.Rule]; len(all) > 0 && f.Class == policies.Excess {
			list[i].Subject = fmt.Sprintf("%d of them", len(all))
			list[i].Message = strings.Join(all[:crowd/2], ", ") + " …: --format name lists all"
		}
	}
	return list
}
