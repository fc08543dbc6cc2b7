package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"advisor/policies"
	"advisor/trace"
)

// EvidenceLine is how much an observation can be trusted, in one line: "2h14m,
// 3 replicas, 1 restart, 0 lost, last new fact 1h50m before the end".
func EvidenceLine(e policies.Evidence) string {
	var parts []string
	if span := e.End.Sub(e.Start); span > 0 {
		parts = append(parts, duration(span))
	}
	parts = append(parts, plural(e.Replicas, "replica"))
	if e.Restarts > 0 {
		parts = append(parts, plural(e.Restarts, "restart"))
	}
	if n := len(e.Nodes); n > 1 {
		parts = append(parts, plural(n, "node"))
	}
	parts = append(parts, fmt.Sprintf("%d lost", e.Lost))
	if quiet := e.End.Sub(e.LastNew); !e.LastNew.IsZero() && quiet > 0 {
		parts = append(parts, fmt.Sprintf("last new fact %s before the end", duration(quiet)))
	}
	return strings.Join(parts, ", ")
}

// Doubts are the reasons not to trust an observation to hold everything the
// workload does, sorted by weight. There are none where it is complete.
func Doubts(e policies.Evidence) []string {
	var doubts []string
	for _, l := range e.Losses {
		doubts = append(doubts, fmt.Sprintf("%d lost at %s/%s: %s", l.Count, l.Probe, l.Stage, l.Reason))
	}
	doubts = append(doubts, e.Off...)
	if e.Incomplete > 0 {
		doubts = append(doubts, fmt.Sprintf("facts of %s were lost", plural(e.Incomplete, "container")))
	}
	if e.Late > 0 {
		doubts = append(doubts, fmt.Sprintf("%s ran before recording began: the start is not in the trace",
			plural(e.Late, "container")))
	}
	doubts = append(doubts, e.Notes...)
	if len(doubts) == 0 && e.Complete != trace.CompleteTrue {
		doubts = append(doubts, "the trace does not say that it is complete")
	}
	return doubts
}

// duration is d to the two units that matter: "2h14m", "3m7s", "1.5s".
func duration(d time.Duration) string {
	switch {
	case d >= 24*time.Hour:
		d = d.Round(time.Hour)
		return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	case d >= time.Hour:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}

func plural(n int, thing string) string { return pluralOf(n, thing, thing+"s") }

func pluralOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// seenLine is the evidence of one fact: "by nginx, first 12:04:11, 41 times, in
// 3 containers".
func seenLine(s policies.Seen) string {
	var parts []string
	if who := who(s); who != "" {
		parts = append(parts, "by "+who)
	}
	if !s.First.Time.IsZero() {
		parts = append(parts, "first "+s.First.Time.UTC().Format("15:04:05"))
	}
	if s.Count > 0 {
		parts = append(parts, plural(int(s.Count), "time"))
	}
	if s.Containers > 1 {
		parts = append(parts, fmt.Sprintf("in %d containers", s.Containers))
	}
	return strings.Join(parts, ", ")
}

// who names the programs that did it.
func who(s policies.Seen) string {
	names := slices.Clone(s.Comms)
	if len(names) == 0 && s.First.Comm != "" {
		names = append(names, s.First.Comm)
	}
	if len(names) > 3 {
		names = append(names[:3], "…")
	}
	return strings.Join(names, ", ")
}
