package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"advisor/monitor"
	"advisor/trace"
)

// quietPeriod is how often a line says how far a recording is where there is
// no terminal to keep one line up to date on.
const quietPeriod = 30 * time.Second

// progress tells a person how a recording goes.
type progress struct {
	s       streams
	name    string        // of the trace
	columns int           // of the terminal, 0 for none
	spoke   time.Duration // elapsed time at the last line
	drawn   bool          // a status line stands on the terminal
}

func newProgress(s streams, path string) *progress {
	if path == "-" {
		path = "standard output"
	}
	return &progress{s: s, name: path, columns: terminalWidth(s.err)}
}

// anew removes a ready file that an earlier recording left, which would say that
// this one is ready before it is.
func anew(file string) error {
	info, err := os.Lstat(file)
	if file == "" || err != nil {
		return nil // one that cannot be made is said when it is
	}
	if !info.Mode().IsRegular() || info.Size() > 0 {
		return fmt.Errorf("--ready-file: %s is something else: ready files are empty", file)
	}
	if err := os.Remove(file); err != nil {
		return fmt.Errorf("--ready-file: %w", err)
	}
	return nil
}

// ready says that nothing from here on is missed.
func (p *progress) ready(st monitor.Status, file string) {
	p.s.say("ready: %s attached, %s so far, writing %s", counted(uint64(st.Probes), "probe"),
		counted(uint64(st.Containers), "container"), p.name)
	if file == "" {
		return
	}
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		p.s.say("making the ready file: %v", err)
	}
}

// status is called each second.
func (p *progress) status(st monitor.Status) {
	line := statusLine(st)
	if wait := waitingFor(st); wait != "" {
		line += "; " + wait
	}
	if p.columns > 0 {
		// A line that wraps could not be drawn over.
		line = "advisor: " + line
		fmt.Fprintf(p.s.err, "\r\x1b[K%s", line[:min(len(line), p.columns-1)])
		p.drawn = true
		return
	}
	if st.Elapsed-p.spoke >= quietPeriod {
		p.spoke = st.Elapsed
		p.s.say("%s", line)
	}
}

// waitingFor says which names of the selection nobody goes by yet, and who is
// there under others: one may be misspelt.
func waitingFor(st monitor.Status) string {
	if len(st.Unseen) == 0 {
		return ""
	}
	line := "not seen yet: " + strings.Join(st.Unseen, " ")
	if len(st.Others) > 0 {
		line += "; not selected: " + strings.Join(st.Others, ", ")
	}
	return line
}

// Write takes a line of the log, for which it makes room on a terminal.
func (p *progress) Write(line []byte) (int, error) {
	if p.drawn {
		p.drawn = false
		fmt.Fprint(p.s.err, "\r\x1b[K")
	}
	return p.s.err.Write(line)
}

// done leaves the terminal on a fresh line.
func (p *progress) done() {
	if p.drawn {
		fmt.Fprintln(p.s.err)
	}
}

func statusLine(st monitor.Status) string {
	line := fmt.Sprintf("%s, %s, %s, %s, %d lost", st.Elapsed.Round(time.Second),
		counted(uint64(st.Containers), "container"), counted(st.Records, "record"), size(st.Bytes), st.Lost)
	return line + fmt.Sprintf(", quiet for %s", st.Quiet.Round(time.Second))
}

// summary is the footer of a recording: what there is, and what there is not.
func (p *progress) summary(res monitor.Result) {
	p.s.say("%s: %s", p.name, statusLine(res.Status))
	for _, line := range lossLines(res.Losses, res.Losers) {
		p.s.say("%s", line)
	}
	if len(res.Unseen) > 0 {
		p.s.say("never seen: %s", strings.Join(res.Unseen, " "))
	}
	switch {
	case res.Containers == 0:
		p.s.say("no container was seen")
	case res.Complete == trace.CompleteTrue && len(res.Late) > 0:
		p.s.say("complete: good to report, but for the start of %s: it ran before recording began. "+
			"A container that starts again while advisor records has all", few(res.Late))
	case res.Complete == trace.CompleteTrue:
		p.s.say("complete: good to report")
	default:
		p.s.say("not complete: reports will say so")
	}
}

// maxNamed is how many containers are named in a line; the trace has them all.
const maxNamed = 5

// few are some of many names.
func few(names []string) string {
	line := strings.Join(names[:min(len(names), maxNamed)], ", ")
	if more := len(names) - maxNamed; more > 0 {
		line += fmt.Sprintf(" and %d more", more)
	}
	return line
}

// lossLines say what was lost, a line for each kind, and of whom.
func lossLines(losses []trace.Loss, names map[string]string) []string {
	type kind struct{ probe, stage, reason string }
	var order []kind
	count, losers := make(map[kind]uint64), make(map[kind][]string)
	for _, l := range losses {
		k := kind{l.Probe, l.Stage, l.Reason}
		if _, known := count[k]; !known {
			order = append(order, k)
		}
		count[k] += l.Count
		if l.Container != "" {
			losers[k] = append(losers[k], cmp.Or(names[l.Container], l.Container))
		}
	}
	var lines []string
	for _, k := range order {
		line := fmt.Sprintf("lost: %d at %s/%s: %s", count[k], k.probe, k.stage, k.reason)
		if list := slices.Compact(slices.Sorted(slices.Values(losers[k]))); len(list) > 0 {
			line += "; of " + few(list)
		}
		lines = append(lines, line)
	}
	return lines
}

// counted is a number of things in words.
func counted(n uint64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func size(n uint64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
