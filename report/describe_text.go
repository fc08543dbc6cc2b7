package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Text prints the description for people.
func (t Trace) Text(w io.Writer) error {
	t, err := cleaned(t)
	if err != nil {
		return err
	}
	var b strings.Builder
	h := t.Header
	fmt.Fprintln(&b, t.Name)
	row(&b, "recorded", "%s on %s, kernel %s, %s", stamp(h.Start),
		or(h.Node, "an unnamed node"), or(h.Kernel, "unknown"), or(h.Arch, "unknown"))
	row(&b, "by", "advisor %s", or(h.Advisor, "unknown"))
	row(&b, "probes", "system calls: %s", or(h.Probes.Syscalls, "unknown"))
	row(&b, "", "capabilities: %s", or(h.Probes.Capabilities, "unknown"))
	row(&b, "", "network: %s", or(h.Probes.Network, "unknown"))
	if h.Probes.Files != "" {
		row(&b, "", "files: %s", h.Probes.Files)
	}
	if len(h.Selection) > 0 {
		row(&b, "selection", "%s", strings.Join(h.Selection, " "))
	}
	row(&b, "records", "%s", counts(t.Records))
	if t.End != nil {
		row(&b, "ended", "%s, %s; %d lost, complete: %s", stamp(t.End.Time),
			or(t.End.Reason, "no reason given"), t.End.Lost, t.End.Complete)
	}
	for _, p := range t.Problems {
		row(&b, "problem", "%s", p)
	}
	for _, c := range t.Workloads {
		fmt.Fprintf(&b, "  %s\n    %s\n", c.Workload, c)
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// String is the contents in words.
func (c Contents) String() string {
	return fmt.Sprintf("%s: %s, %s, %s, %s, %d denied", plural(c.Containers, "container"),
		plural(c.Syscalls, "system call"), pluralOf(c.Capabilities, "capability", "capabilities"),
		plural(c.Connects, "connect"), plural(c.Accepts, "accept"), c.Denied)
}

func row(b *strings.Builder, key, format string, args ...any) {
	fmt.Fprintf(b, "  %-10s %s\n", key, fmt.Sprintf(format, args...))
}

// counts is a map of counts in one line, sorted by name.
func counts(m map[string]int) string {
	total := 0
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		total += m[key]
		parts = append(parts, fmt.Sprintf("%d %s", m[key], key))
	}
	return fmt.Sprintf("%d (%s)", total, strings.Join(parts, ", "))
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "at an unknown time"
	}
	return t.UTC().Format(time.RFC3339)
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
