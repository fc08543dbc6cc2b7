package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"advisor/policies"
	"advisor/report"
	"advisor/trace"
)

// diffCmd holds what was observed against what is declared: the CI check.
type diffCmd struct {
	traces
	output
	rendering
	Manifests []string `short:"m" required:"" placeholder:"PATH" help:"Manifests: files, directories, or '-' for stdin."`
	Namespace string   `short:"n" placeholder:"NAME" help:"Where manifests are applied that name no namespace themselves; default: default."`
	Kind      []string `enum:"seccomp,netpol,caps" default:"seccomp,netpol,caps" help:"Compare only these kinds."`
	Workload  []string `short:"w" placeholder:"GLOB" help:"Only workloads of this name, Kind/name or namespace/Kind/name."`
	Engine    string   `placeholder:"NAME" offer:"engines" help:"The engine that runs the containers: ${engines}."`
	Dialect   string   `placeholder:"NAME" offer:"dialects" help:"The network plugin that enforces the policies: ${dialects}; default: the first."`

	verdict
	thresholds
	fixing
	Ignore        string `placeholder:"PATH" help:"Findings to ignore; default: ${ignore_file}, if it is there."`
	Baseline      string `placeholder:"PATH" help:"Findings that are known already."`
	WriteBaseline string `placeholder:"PATH" help:"Write the findings of this run as a baseline."`
	AllowEmpty    bool   `help:"Accept that there is nothing to compare."`
}

// rendering says in what form a report comes out.
type rendering struct {
	Format string   `enum:"${renderings}" default:"text" help:"One of ${renderings}."`
	Also   []string `placeholder:"FORMAT=PATH" help:"Write the same report in another format too."`
	Color  string   `enum:"auto,always,never" default:"auto" help:"Colour: auto, always or never."`
}

// verdict says which findings make the exit code 1.
type verdict struct {
	FailOn []string `default:"missing,invalid" placeholder:"CLASS" offer:"missing invalid unprotected excess unknown any never" help:"Classes of findings that fail: missing, invalid, unprotected, excess, unknown; any or never."`
}

// thresholds say how good the evidence must be.
type thresholds struct {
	Strict          bool          `help:"Fail where the evidence is not complete."`
	RequireDuration time.Duration `placeholder:"D" help:"Fail where a workload was watched for less."`
	RequireReplicas int           `placeholder:"N" help:"Fail where fewer containers of a workload were seen."`
	RequireRestart  bool          `help:"Fail where no restart of a workload was seen."`
	RequireQuiet    time.Duration `placeholder:"D" help:"Fail where something new was seen this shortly before the end."`
}

// Run compares and reports.
func (c *diffCmd) Run(s streams) error {
	classes, err := c.classes()
	if err := errors.Join(err, c.check(), c.checkAlso(), c.checkFixing()); err != nil {
		return err
	}
	r, fixes, err := c.compare(s)
	if err != nil {
		return err
	}
	if c.fixing.asked() {
		if err := c.meets(r); err != nil {
			return err // what was watched too little is no ground to change anything on
		}
		return c.fix(s, fixes, c.output)
	}
	if err := c.render(s, r, c.output); err != nil {
		return err
	}
	if err := c.writeBaseline(r); err != nil {
		return err
	}
	if err := c.meets(r); err != nil {
		return err
	}
	if r.Selected(classes) {
		return exitCode(exitDrift)
	}
	return nil
}

// checkFixing refuses what speaks of a report: a patch is printed in place of one.
func (c *diffCmd) checkFixing() error {
	if err := c.fixing.fits(c.output); err != nil || !c.fixing.asked() {
		return err
	}
	if len(c.Also) > 0 || c.WriteBaseline != "" {
		return errors.New("--also and --write-baseline go with a report, and --patch and --write print none")
	}
	return nil
}

// compare reads both sides and holds them against one another.
func (c *diffCmd) compare(s streams) (*report.Report, fixes, error) {
	how, err := c.comparison()
	if err != nil {
		return nil, fixes{}, err
	}
	if slices.Contains(c.names(), "-") && slices.Contains(c.Manifests, "-") {
		return nil, fixes{}, errors.New("traces and manifests cannot both come from stdin")
	}
	manifests, err := report.LoadManifestsIn(c.Namespace, c.Manifests, s.in)
	if err != nil {
		return nil, fixes{}, err
	}
	seen, err := report.Observe(c.names(), s.in)
	if err != nil {
		return nil, fixes{}, traceHint(err)
	}
	r, err := report.Diff(seen, manifests, how)
	if errors.Is(err, report.ErrNothing) && !c.AllowEmpty {
		return nil, fixes{}, hint(fmt.Errorf("%w\n%s", err, sides(r)),
			"-m names what the recorded workloads are deployed with, under the same names; --allow-empty accepts that nothing is compared")
	}
	if err != nil && !errors.Is(err, report.ErrNothing) {
		return nil, fixes{}, err
	}
	r.Advisor = version()
	var f fixes
	if c.fixing.asked() {
		f.list, f.problems = report.Fixes(r, seen, manifests, how)
		f.stdin = manifests.Text("stdin")
	}
	return r, f, nil
}

// sides lists what there was on both sides where nothing met, and what could
// not be read.
func sides(r *report.Report) string {
	var b strings.Builder
	for _, w := range r.Workloads {
		where := "in the manifests only"
		if w.Observed {
			where = "in the traces only"
		}
		fmt.Fprintf(&b, "  %s: %s\n", w.Workload, where)
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "  %s\n", p)
	}
	for _, f := range r.Findings {
		if f.Class == policies.Invalid {
			fmt.Fprintf(&b, "  %s: %s: %s\n", f.Position, f.Subject, f.Message)
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (c *diffCmd) comparison() (report.Comparison, error) {
	ignores, err := c.ignores()
	if err != nil {
		return report.Comparison{}, err
	}
	known, err := c.known()
	if err != nil {
		return report.Comparison{}, err
	}
	today, err := today()
	return report.Comparison{
		Kinds: c.Kind, Workloads: c.Workload, Engine: c.Engine, Dialect: c.Dialect,
		Ignores: ignores, Baseline: known, Today: today,
		Policies: c.Format == "html" || slices.ContainsFunc(c.Also, func(a string) bool {
			return strings.HasPrefix(a, "html=") || strings.HasPrefix(a, "json=")
		}),
	}, err
}

// ignores reads the ignore file. One that is not named need not be there.
func (c *diffCmd) ignores() ([]report.Ignore, error) {
	file := c.Ignore
	if file == "" {
		file = report.IgnoreFile
	}
	text, err := os.ReadFile(file)
	if c.Ignore == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the ignore file: %w", err)
	}
	return report.ParseIgnores(file, text)
}

// known reads the baseline.
func (c *diffCmd) known() ([]string, error) {
	if c.Baseline == "" {
		return nil, nil
	}
	text, err := os.ReadFile(c.Baseline)
	if err != nil {
		return nil, hint(fmt.Errorf("reading the baseline: %w", err), "--write-baseline makes one")
	}
	return report.ParseBaseline(c.Baseline, text)
}

func (c *diffCmd) writeBaseline(r *report.Report) error {
	if c.WriteBaseline == "" {
		return nil
	}
	return replace(c.WriteBaseline, r.Baseline())
}

// today is the day by which ignore entries expire. SOURCE_DATE_EPOCH sets it,
// as for everything that is to come out the same again.
func today() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return time.Now(), nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	return time.Unix(seconds, 0), nil
}

// classes are the classes that fail.
func (v verdict) classes() ([]policies.Class, error) {
	var list []policies.Class
	for _, word := range v.FailOn {
		switch class := policies.Class(word); {
		case word == "never" && len(v.FailOn) == 1:
			return nil, nil
		case word == "any" && len(v.FailOn) == 1:
			return report.Classes(), nil
		case slices.Contains(report.Classes(), class):
			list = append(list, class)
		default:
			return nil, fmt.Errorf("--fail-on: %q is none of missing, invalid, unprotected, excess, unknown; "+
				"any and never stand alone", word)
		}
	}
	return list, nil
}

// meets fails where the evidence of a compared workload is not good enough.
func (t thresholds) meets(r *report.Report) error {
	var errs []error
	for _, w := range r.Workloads {
		if !w.Observed || !w.Declared {
			continue
		}
		for _, lack := range t.lacks(w.Evidence) {
			errs = append(errs, fmt.Errorf("%s: %s", w.Workload, lack))
		}
	}
	return errors.Join(errs...)
}

func (t thresholds) lacks(e policies.Evidence) []string {
	var list []string
	lack := func(is bool, format string, args ...any) {
		if is {
			list = append(list, fmt.Sprintf(format, args...))
		}
	}
	span, quiet := e.End.Sub(e.Start), e.End.Sub(e.LastNew)
	lack(t.Strict && e.Complete != trace.CompleteTrue, "--strict: the evidence is not complete: %s",
		strings.Join(report.Doubts(e), "; "))
	lack(span < t.RequireDuration, "--require-duration: watched for %s, not %s", span, t.RequireDuration)
	lack(e.Replicas < t.RequireReplicas, "--require-replicas: %d seen, not %d", e.Replicas, t.RequireReplicas)
	lack(t.RequireRestart && e.Restarts == 0, "--require-restart: none was seen")
	lack(t.RequireQuiet > 0 && quiet < t.RequireQuiet,
		"--require-quiet: something new was seen %s before the end, not %s", quiet, t.RequireQuiet)
	return list
}

// checkAlso refuses formats there are not before any work is done.
func (r rendering) checkAlso() error {
	for _, also := range r.Also {
		format, path, ok := strings.Cut(also, "=")
		if !ok || path == "" || !slices.Contains(report.Renderings(), format) {
			return fmt.Errorf("--also %s: expected FORMAT=PATH with one of %s",
				also, strings.Join(report.Renderings(), ", "))
		}
	}
	return nil
}

// render writes the report where it belongs, in every form asked for.
func (r rendering) render(s streams, rep *report.Report, to output) error {
	var main bytes.Buffer
	style := report.Style{Color: to.toStdout() && colored(r.Color, s)}
	if to.toStdout() {
		style.Width = terminalWidth(s.out)
	}
	if err := rep.Render(&main, r.Format, style); err != nil {
		return err
	}
	for _, also := range r.Also {
		format, path, _ := strings.Cut(also, "=")
		var b bytes.Buffer
		if err := rep.Render(&b, format, report.Style{}); err != nil {
			return err
		}
		if err := replace(path, b.Bytes()); err != nil {
			return err
		}
	}
	return to.write(s, []document{{name: "report." + r.Format, body: main.Bytes()}})
}

// colored says whether text on stdout has colour: always, never, or where a
// person looks at it who has not said no.
func colored(when string, s streams) bool {
	switch when {
	case "always":
		return true
	case "never":
		return false
	}
	return os.Getenv("NO_COLOR") == "" && isTerminal(s.out)
}
