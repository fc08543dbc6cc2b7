package report

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"advisor/policies"
	"advisor/policies/manifest"
)

// IgnoreFile is read where none is named, if it is there.
const IgnoreFile = ".advisor-ignore.yaml"

// Ignore is one entry of an ignore file: findings that all its fields match
// are taken out of the verdict.
type Ignore struct {
	Rule     string `json:"rule"`               // glob, such as "caps/*"
	Workload string `json:"workload,omitempty"` // glob of namespace/Kind/name, or of the name; empty is any
	Subject  string `json:"subject,omitempty"`  // glob, such as "NET_RAW"; empty is any
	Reason   string `json:"reason"`             // required
	Expires  string `json:"expires,omitempty"`  // 2006-01-02, the last day it holds
	// Position is where the entry stands.
	Position policies.Position `json:"position,omitzero"`
}

// Ignored is a finding and why it does not count.
type Ignored struct {
	policies.Finding
	Reason  string `json:"reason"`
	Expires string `json:"expires,omitempty"`
	// DaysLeft is how many days the entry still holds; nil without an end.
	DaysLeft *int `json:"daysLeft,omitempty"`
}

// Audit is what became of one entry.
type Audit struct {
	Ignore
	State   string `json:"state"` // "matched", "unused" or "expired"
	Matched int    `json:"matched"`
}

// States of an ignore entry.
const (
	IgnoreMatched = "matched"
	IgnoreUnused  = "unused"
	IgnoreExpired = "expired"
)

// ParseIgnores reads the text of an ignore file: a list under "ignore". An
// entry without a rule or a reason, or with a day that is none, is an error.
func ParseIgnores(file string, data []byte) ([]Ignore, error) {
	objects, errs := manifest.Read(file, data)
	if len(errs) > 0 {
		return nil, errs[0]
	}
	var all []Ignore
	for _, o := range objects {
		var content struct {
			Ignore []Ignore `json:"ignore"`
		}
		if errs := o.Decode(&content); len(errs) > 0 {
			return nil, errs[0]
		}
		for i, entry := range content.Ignore {
			entry.Position = o.Position("ignore", i)
			if err := entry.validate(); err != nil {
				return nil, fmt.Errorf("%s: %w", entry.Position, err)
			}
			all = append(all, entry)
		}
	}
	return all, nil
}

func (i Ignore) validate() error {
	if i.Rule == "" {
		return fmt.Errorf("an entry needs a rule: a rule's id, or a glob such as \"caps/*\"")
	}
	if i.Reason == "" {
		return fmt.Errorf("the entry for %s needs a reason", i.Rule)
	}
	for _, glob := range []string{i.Rule, i.Workload, i.Subject} {
		if _, err := path.Match(glob, ""); err != nil {
			return fmt.Errorf("%q is no glob: %w", glob, err)
		}
	}
	if i.Expires == "" {
		return nil
	}
	if _, err := time.Parse(time.DateOnly, i.Expires); err != nil {
		return fmt.Errorf("expires: %q is no day such as 2027-01-31", i.Expires)
	}
	return nil
}

// expired says that the entry's last day is before today.
func (i Ignore) expired(today time.Time) bool {
	return i.Expires != "" && i.Expires < today.UTC().Format(time.DateOnly)
}

func (i Ignore) ignored(f policies.Finding, today time.Time) Ignored {
	ig := Ignored{Finding: f, Reason: i.Reason, Expires: i.Expires}
	if last, err := time.Parse(time.DateOnly, i.Expires); err == nil {
		left := int(last.Sub(today.UTC().Truncate(24*time.Hour)) / (24 * time.Hour))
		ig.DaysLeft = &left
	}
	return ig
}

func (i Ignore) matches(f policies.Finding) bool {
	return glob(i.Rule, f.Rule) && glob(i.Subject, f.Subject) && MatchWorkload(i.Workload, f.Workload)
}

func glob(pattern, s string) bool {
	if pattern == "" || pattern == "*" {
		return true
	}
	// A star of path.Match stops at a slash, and subjects may hold some.
	ok, err := path.Match(strings.ReplaceAll(pattern, "/", "\x00"), strings.ReplaceAll(s, "/", "\x00"))
	return ok && err == nil
}

// MatchWorkload says that a glob names a workload: its name, Kind/name,
// namespace/Kind/name, or one of these with " container=NAME" or ":NAME" for
// one container of it.
func MatchWorkload(pattern string, w policies.Workload) bool {
	pattern = strings.Replace(pattern, " container=", ":", 1)
	full := w.Kind + "/" + w.Name
	names := []string{w.Name, full}
	if w.Namespace != "" {
		names = append(names, w.Namespace+"/"+w.Name, w.Namespace+"/"+full)
	}
	for _, n := range slices.Clone(names) {
		names = append(names, n+":"+w.Container)
	}
	return slices.ContainsFunc(names, func(name string) bool { return glob(pattern, name) })
}

// apply takes out of findings what entries match, and says what became of each
// entry. An expired entry takes nothing out, and says so.
func applyIgnores(findings []policies.Finding, entries []Ignore, today time.Time) (
	kept []policies.Finding, ignored []Ignored, audit []Audit,
) {
	audit = make([]Audit, len(entries))
	for i, entry := range entries {
		audit[i] = Audit{Ignore: entry, State: IgnoreUnused}
		if entry.expired(today) {
			audit[i].State = IgnoreExpired
		}
	}
	for _, f := range findings {
		by := slices.IndexFunc(audit, func(a Audit) bool {
			return a.State != IgnoreExpired && a.matches(f)
		})
		if by < 0 {
			kept = append(kept, f)
			continue
		}
		audit[by].Matched++
		audit[by].State = IgnoreMatched
		ignored = append(ignored, entries[by].ignored(f, today))
	}
	return kept, ignored, audit
}
