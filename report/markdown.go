package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"advisor/policies"
)

// markdownLimit keeps a page below what GitHub takes as a comment: 65,536
// characters.
const markdownLimit = 60000

// markdownMarker lets a bot find the comment it wrote before.
const markdownMarker = "<!-- advisor -->"

// graphLimit is how many connections a drawing may have and still be read.
const graphLimit = 40

// Markdown prints the findings for a comment or a job's summary: the counts, a
// table a workload, the graph of connections; or, where nothing is compared, the
// policies with their reasons. Sections that would make it too
// long are left out whole, and it says so.
func (r *Report) Markdown(w io.Writer) error {
	var b strings.Builder
	headline := r.CountLine()
	if !r.compared() {
		headline = r.recordedLine()
	}
	fmt.Fprintf(&b, "%s\n## advisor: %s\n", markdownMarker, headline)
	problems := make([]string, len(r.Problems))
	for i, p := range r.Problems {
		problems[i] = fmt.Sprintf("\n> %s\n", cell(p.String()))
	}
	few(&b, problems, "problem")
	left := 0
	for _, section := range r.markdownSections() {
		if b.Len()+len(section) > markdownLimit {
			left++
			continue
		}
		b.WriteString(section)
	}
	if left > 0 {
		fmt.Fprintf(&b, "\n%s left out to keep this short; the JSON report has all of it.\n", plural(left, "section"))
	}
	lines := r.auditLines()
	for i, line := range lines {
		lines[i] = fmt.Sprintf("\n- %s\n", cell(line))
	}
	few(&b, lines, "line")
	_, err := io.WriteString(w, b.String())
	return err
}

// markdownAside is how much of the page what is not a finding may take: the two
// lists of it, together, what is left between markdownLimit and what a comment takes.
const markdownAside = 2500

// few writes the first paragraphs of a list, and how many more there are.
func few(b *strings.Builder, paragraphs []string, thing string) {
	size := 0
	for i, p := range paragraphs {
		if size += len(p); size > markdownAside {
			fmt.Fprintf(b, "\n> and %s more; the JSON report has all of it.\n", plural(len(paragraphs)-i, thing))
			return
		}
		b.WriteString(p)
	}
}

func (r *Report) markdownSections() []string {
	var list []string
	for _, group := range byWorkload(r.Findings) {
		list = append(list, r.markdownGroup(group))
	}
	if !r.compared() {
		for _, w := range r.Workloads {
			list = append(list, markdownRecorded(w))
		}
	}
	if table := r.markdownStandings(); table != "" {
		list = append(list, table)
	}
	if graph := r.mermaid(); graph != "" {
		list = append(list, graph)
	}
	return list
}

func (r *Report) markdownGroup(group []policies.Finding) string {
	var b strings.Builder
	w := group[0].Workload
	fmt.Fprintf(&b, "\n<details%s><summary><b>%s</b>: %s</summary>\n\n",
		map[bool]string{true: " open"}[group[0].Class == policies.Missing], cell(w.String()), countWords(group))
	b.WriteString("| | rule | subject | evidence | place |\n|---|---|---|---|---|\n")
	for _, f := range group {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", f.Class, cell(f.Rule), code(f.Subject),
			cell(f.Message), code(f.Position.String()))
	}
	if e, ok := r.evidence(w); ok {
		markdownEvidence(&b, e)
	}
	b.WriteString("\n</details>\n")
	return b.String()
}

func markdownEvidence(b *strings.Builder, e policies.Evidence) {
	fmt.Fprintf(b, "\nEvidence: %s\n", cell(EvidenceLine(e)))
	for _, doubt := range Doubts(e) {
		fmt.Fprintf(b, "- %s\n", cell(doubt))
	}
}

// markdownStandings is where the pods stand in the Pod Security Standards.
func (r *Report) markdownStandings() string {
	if len(r.PodSecurity) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n<details><summary>Pod Security Standards</summary>\n\n" +
		"| pod | declared | as observed | in the way of the next level |\n|---|---|---|---|\n")
	for _, st := range r.PodSecurity {
		var lines []string
		for _, line := range standingLines(st) {
			lines = append(lines, cell(strings.TrimSpace(line)))
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", cell(st.Workload.String()), st.Today.Level, st.Could.Level,
			strings.Join(lines, "<br>"))
	}
	b.WriteString("\n</details>\n")
	return b.String()
}

func countWords(group []policies.Finding) string {
	n := make(map[policies.Class]int)
	for _, f := range group {
		n[f.Class]++
	}
	var parts []string
	for _, class := range Classes() {
		if n[class] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[class], class))
		}
	}
	return strings.Join(parts, ", ")
}

// mermaid draws the connections: solid where allowed, dotted where denied.
func (r *Report) mermaid() string {
	flows := slices.DeleteFunc(slices.Clone(r.Flows), func(f Flow) bool { return !f.Observed })
	if len(flows) == 0 || len(flows) > graphLimit {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n<details><summary>Connections</summary>\n\n```mermaid\ngraph LR\n")
	nodes := make(map[string]string)
	for _, f := range flows {
		for _, end := range []string{f.From, f.To} {
			if nodes[end] == "" {
				nodes[end] = fmt.Sprintf("n%d", len(nodes))
				fmt.Fprintf(&b, "  %s[\"%s\"]\n", nodes[end], mermaidText(end))
			}
		}
		arrow := "-->"
		if f.Allowed == "denied" {
			arrow = "-.->"
		}
		fmt.Fprintf(&b, "  %s %s|\"%s %d\"| %s\n", nodes[f.From], arrow, f.Protocol, f.Port, nodes[f.To])
	}
	b.WriteString("```\n\n</details>\n")
	return b.String()
}

func mermaidText(s string) string {
	return strings.NewReplacer(`"`, "#quot;", "\n", " ", "`", "'").Replace(s)
}

// cell is text that stays one cell of a table and means nothing else.
func cell(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "|", `\|`, "\n", " ", "\r", " ",
		"*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "@", "@\u200b").Replace(s)
}

// code is text shown as it is.
func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + strings.NewReplacer("`", "'", "|", `\|`, "\n", " ", "\r", " ").Replace(s) + "`"
}
