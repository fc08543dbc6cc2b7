package report

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"advisor/policies"
	"advisor/policies/seccomp"
)

// DockerDefaultProfile is the word for Docker's own profile where a file's name
// may stand.
const DockerDefaultProfile = "docker-default"

// LoadProfile reads one seccomp profile: a file, "-" for stdin, or Docker's
// default. The text is nil for that. Every mistake is in the error, at its place.
func LoadProfile(name string, stdin io.Reader) (p seccomp.Profile, text []byte, err error) {
	switch name {
	case DockerDefaultProfile:
		return seccomp.DockerDefault(), nil, nil
	case "-":
		name = "stdin"
		text, err = io.ReadAll(stdin)
	default:
		text, err = os.ReadFile(name)
	}
	if err != nil {
		return p, nil, fmt.Errorf("reading the seccomp profile: %w", err)
	}
	p, errs := seccomp.Parse(name, text)
	return p, text, errors.Join(errs...)
}

// LintProfile is a report of what is wrong with one profile by itself, and
// where libseccomp makes something else of it.
func LintProfile(name string, p seccomp.Profile, ctx seccomp.Context) *Report {
	findings := append(seccomp.Lint(p, ctx), seccomp.CheckCompiled(p, ctx)...)
	for i := range findings {
		findings[i].Workload = policies.Workload{Kind: "SeccompProfile", Name: filepath.Base(name)}
		findings[i].Fingerprint = policies.Fingerprint(findings[i])
	}
	r := &Report{Schema: Schema, Traces: []string{}, Manifests: []string{name}, Workloads: []Workload{}}
	r.finish(findings, Comparison{})
	return r
}

// ProfileComparison is what changes between two profiles.
type ProfileComparison struct {
	Schema  string           `json:"schema"`
	Old     string           `json:"old"`
	New     string           `json:"new"`
	Context string           `json:"context"`
	Changes []seccomp.Change `json:"changes"`
	// Doubts are changes that compiled programs make otherwise than the rules.
	Doubts     []seccomp.Doubt `json:"doubts,omitempty"`
	Evaluators int             `json:"evaluators"` // 2 where the programs were compared too
	// Alone is why they were not.
	Alone string `json:"alone,omitempty"`
}

// ProfileComparisonSchema is the value of [ProfileComparison.Schema].
const ProfileComparisonSchema = "advisor.seccomp-compare/v1"

// CompareProfiles compares two profiles by their rules and, where libseccomp is
// in this build, by what it compiles from them.
func CompareProfiles(oldName, newName string, before, after seccomp.Profile, ctx seccomp.Context) (ProfileComparison, error) {
	c := ProfileComparison{
		Schema: ProfileComparisonSchema, Old: oldName, New: newName, Context: ctx.String(), Evaluators: 1,
	}
	changes, err := seccomp.Compare(before, after, ctx)
	if err != nil {
		return c, err
	}
	c.Changes = append([]seccomp.Change{}, changes...)
	if c.Doubts, err = seccomp.Doubts(before, after, ctx); err != nil {
		c.Alone = err.Error()
		return c, nil
	}
	c.Evaluators = 2
	return c, nil
}

// Permits tells whether a call is newly permitted, by the rules or by the
// compiled programs.
func (c ProfileComparison) Permits() bool {
	return slices.ContainsFunc(c.Changes, func(x seccomp.Change) bool { return x.Kind == seccomp.Permitted }) ||
		slices.ContainsFunc(c.Doubts, func(d seccomp.Doubt) bool {
			return !d.CompiledBefore.Action.Admits() && d.CompiledAfter.Action.Admits()
		})
}

// Text prints the changes, a line each, and one line of counts last.
func (c ProfileComparison) Text(w io.Writer) error {
	count := map[seccomp.Kind]int{}
	for _, change := range c.Changes {
		count[change.Kind]++
		line := change.String()
		for _, at := range []policies.Position{change.New, change.Old} {
			if text := at.String(); text != "" {
				line += "  " + text
				break
			}
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	for _, d := range c.Doubts {
		if _, err := fmt.Fprintln(w, "doubt", d); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%d permitted, %d refused, %d action, %d errno, %d flags; under %s; %s\n",
		count[seccomp.Permitted], count[seccomp.Refused], count[seccomp.ActionOnly], count[seccomp.ErrnoOnly],
		count[seccomp.FlagsOnly], c.Context, c.evaluators())
	return err
}

func (c ProfileComparison) evaluators() string {
	switch {
	case c.Evaluators == 1:
		return "by the rules alone: " + c.Alone
	case len(c.Doubts) == 0:
		return "the compiled programs agree"
	}
	return plural(len(c.Doubts), "doubt") + ": the compiled programs differ"
}
