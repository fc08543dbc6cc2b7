package html

import (
	"fmt"
	"strings"
	"time"

	"advisor/policies"
)

// sign is a class as one character, so that colour is never needed.
func sign(c policies.Class) string {
	switch c {
	case "":
		return "✓"
	case policies.Missing:
		return "!"
	case policies.Invalid:
		return "×"
	case policies.Unprotected:
		return "○"
	case policies.Excess:
		return "−"
	}
	return "?"
}

// rank orders classes worst first.
func rank(c policies.Class) int {
	switch c {
	case policies.Missing:
		return 0
	case policies.Invalid:
		return 1
	case policies.Unprotected:
		return 2
	case policies.Excess:
		return 3
	case "":
		return 5
	}
	return 4
}

// flowWord is a flow's class as a legend says it. Where nothing was compared
// there is only what was seen.
func flowWord(c policies.Class, compared bool) string {
	switch c {
	case "":
		if !compared {
			return "seen"
		}
		return "allowed and seen"
	case policies.Missing:
		return "seen, not allowed"
	case policies.Excess:
		return "allowed, never seen"
	case policies.Unprotected:
		return "seen, no policy"
	}
	return "not decided"
}

func needSign(n Need) string {
	switch n {
	case Needed:
		return "●"
	case Unused:
		return "−"
	case NotGranted:
		return "!"
	case Incidental:
		return "·"
	}
	return "?"
}

func needWord(n Need) string {
	switch n {
	case Needed:
		return "needed"
	case Unused:
		return "granted, unused"
	case NotGranted:
		return "needed, not granted"
	case Incidental:
		return "incidental"
	}
	return "not decided"
}

// needClass colours a need like the finding it leads to.
func needClass(n Need) policies.Class {
	switch n {
	case Needed, Incidental:
		return ""
	case Unused:
		return policies.Excess
	case NotGranted:
		return policies.Missing
	}
	return policies.Unknown
}

func kindWord(kind string) string {
	switch kind {
	case "seccomp":
		return "System calls"
	case "netpol":
		return "Network"
	case "caps":
		return "Capabilities"
	}
	return kind
}

// plural is "1 workload", "3 workloads".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// length is a duration in its two largest units: 2h14m, 3m05s, 12s.
func length(d time.Duration) string {
	if d < 10*time.Second {
		return max(d, 0).Round(100 * time.Millisecond).String()
	}
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%02dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}

// stamp is a point in time, in UTC, to the second.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// clock is stamp without the date when the whole window has one date.
func (w window) clock(t time.Time) string {
	if w.oneDay {
		return t.UTC().Format("15:04:05")
	}
	return stamp(t)
}

// window is the time all evidence comes from.
type window struct{ oneDay bool }

func newWindow(e policies.Evidence) window {
	const day = "2006-01-02"
	return window{oneDay: !e.Start.IsZero() && e.Start.UTC().Format(day) == e.End.UTC().Format(day)}
}

// seen is the evidence of one fact in one line: "902× nginx, 12:04:11". The
// time is that of the first sighting.
func (w window) seen(s policies.Seen) string {
	who := strings.Join(s.Comms, " ")
	if who == "" {
		who = s.First.Comm
	}
	if s.Count > 0 {
		who = strings.TrimSpace(fmt.Sprintf("%d× %s", s.Count, who))
	}
	if s.First.Time.IsZero() {
		return who
	}
	if who == "" {
		return w.clock(s.First.Time)
	}
	return who + ", " + w.clock(s.First.Time)
}
