package caps

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// necessary adds what an experiment showed to be necessary, whatever the
// recording says of it.
func (v *Verified) necessary(add map[string]bool) {
	if v == nil {
		return
	}
	for _, t := range v.Verdicts {
		if t.Necessary {
			add[t.Name] = true
		}
	}
}

// spare makes of the list in add the least that is known to pass: what was
// tried and is not on the least list goes. What was not tried stays. It returns
// what went, sorted.
func (v *Verified) spare(add map[string]bool) []string {
	var gone []string
	for _, t := range v.Verdicts {
		switch kept := slices.Contains(v.Least, t.Name); {
		case kept:
			add[t.Name] = true
		case add[t.Name]:
			delete(add, t.Name)
			gone = append(gone, t.Name)
		}
	}
	slices.Sort(gone)
	return gone
}

// verifiedNotes say what the experiment was and where it and the recording
// disagree. inferred is the list that the recording alone gives.
func verifiedNotes(s Synthesis, inferred map[string]bool) []string {
	v := s.Verified
	if v == nil {
		return nil
	}
	notes := []string{v.summary()}
	for _, t := range v.Verdicts {
		if note := s.disagreement(t, inferred[t.Name]); note != "" {
			notes = append(notes, note)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(inferred)) {
		if v.trial(name) == nil {
			notes = append(notes, name+" is inferred, and was not tried in the experiment: it stays on the list")
		}
	}
	return append(notes, s.restrictionNotes()...)
}

func (v *Verified) summary() string {
	n := 0
	for _, t := range v.Verdicts {
		if t.Necessary {
			n++
		}
	}
	how := "until it ended by itself"
	if v.Probe != "" {
		how = "with the probe " + printable(v.Probe)
	}
	return fmt.Sprintf("verified with %s, %s: %d of %d tried capabilities are necessary",
		printable(v.Subject()), how, n, len(v.Verdicts))
}

// disagreement says where a verdict and the recording differ, "" where they do
// not, and what that does to the list.
func (s Synthesis) disagreement(t Trial, inferred bool) string {
	least := slices.Contains(s.Verified.Least, t.Name)
	switch {
	case t.Necessary && !inferred:
		return fmt.Sprintf("%s is added: the experiment fails without it, though the recording shows no need%s",
			t.Name, s.otherwise(t.Name))
	case t.Necessary || !inferred && !least:
		return ""
	case least:
		return t.Name + " can be spared, but not together with all others that can: it stays on the list"
	case slices.Contains(s.Spared, t.Name):
		return t.Name + " is left out: it was used while recording, and the workload passes without it"
	}
	return t.Name + " was used while recording, but the workload passes without it: " +
		"it stays on the list, unless the least is asked for"
}

// otherwise is how the recording has a capability that it does not call needed.
func (s Synthesis) otherwise(name string) string {
	for _, class := range []Class{Denied, Harmless, Incidental, Foreign} {
		for _, f := range s.Facts {
			if f.Name == name && f.Class == class {
				return fmt.Sprintf(" (%s: %s)", class, f.Reason)
			}
		}
	}
	return ""
}

// restrictionNotes tell what else the workload can live with.
func (s Synthesis) restrictionNotes() []string {
	var notes []string
	for _, r := range s.Verified.Restrictions {
		what := r.Name
		if len(r.Tmpfs) > 0 {
			what += " with a tmpfs at " + strings.Join(r.Tmpfs, ", ")
		}
		if r.Passed {
			notes = append(notes, "verified: it passes under "+what)
		} else {
			notes = append(notes, "verified: it does not pass under "+what+": "+printable(r.Reason))
		}
	}
	return notes
}
