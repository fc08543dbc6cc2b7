package report

import (
	"fmt"
	"io"
	"strings"

	"advisor/policies"
)

// githubLimit is how many annotations of each level GitHub shows of a step; it
// drops the rest in silence (documentation of workflow commands, "Limits").
const githubLimit = 10

// GitHub prints workflow commands that annotate the lines of a pull request:
// the worst first and no more than are shown, then one with the counts.
func (r *Report) GitHub(w io.Writer) error {
	var b strings.Builder
	shown := make(map[string]int)
	for _, f := range r.Findings {
		level := githubLevel(f.Class)
		room := githubLimit
		if level == "notice" {
			room-- // the counts are one too
		}
		if shown[level] < room {
			b.WriteString(githubCommand(level, f))
		}
		shown[level]++
	}
	if len(r.Findings) > 0 {
		fmt.Fprintf(&b, "::notice title=advisor::%s\n", githubText(r.CountLine()))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// githubLevel is SARIF's word, but for notes.
func githubLevel(c policies.Class) string {
	if level := sarifLevel(c); level != "note" {
		return level
	}
	return "notice"
}

func githubCommand(level string, f policies.Finding) string {
	var properties []string
	add := func(key, value string) {
		properties = append(properties, key+"="+githubProperty(value))
	}
	if f.Position.File != "" {
		add("file", f.Position.File)
	}
	if f.Position.Line > 0 {
		add("line", fmt.Sprint(f.Position.Line))
	}
	if f.Position.Column > 0 {
		add("col", fmt.Sprint(f.Position.Column))
	}
	add("title", fmt.Sprintf("%s %s", f.Class, f.Rule))
	return fmt.Sprintf("::%s %s::%s\n", level, strings.Join(properties, ","), githubText(sentence(f)))
}

// sentence is a finding in one line, without its place.
func sentence(f policies.Finding) string {
	return fmt.Sprintf("%s: %s: %s", f.Workload, f.Subject, f.Message)
}

func githubText(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func githubProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}
