package report

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"advisor/policies"
)

// Limits of GitHub's code scanning: it refuses a run with more than 25,000
// results, and shows the first 5,000 (documentation, "SARIF results exceed
// limit").
const (
	// sarifLimit is how many results are written one by one. Nobody reads more;
	// beyond it they are joined by workload and rule.
	sarifLimit = 1000
	// sarifMost is how many are written at all.
	sarifMost = 5000
)

// SARIF prints the findings as one run of SARIF 2.1.0 (OASIS standard, March
// 2020). Covered are the tool with its rules, results with one place each,
// suppressions for what is ignored, and notifications for what could not be
// read. Missing and invalid are errors, excess and unprotected warnings, the
// rest notes. Fingerprints are those of the findings, so that a moved line is
// not a new alert.
func (r *Report) SARIF(w io.Writer) error {
	run := sarifRun{
		Tool:       sarifTool{sarifDriver{Name: "advisor", Version: r.Advisor, Rules: sarifRules()}},
		Results:    []sarifResult{},
		ColumnKind: "utf16CodeUnits",
	}
	findings := joined(r.Findings, sarifLimit) // worst first
	for _, f := range findings[:min(len(findings), sarifMost)] {
		run.Results = append(run.Results, r.sarifResult(f))
	}
	ignored := r.Ignored[:min(len(r.Ignored), sarifLimit, sarifMost-len(run.Results))]
	for _, i := range ignored {
		res := r.sarifResult(i.Finding)
		res.Suppressions = []sarifSuppression{{Kind: "external", Justification: i.Reason}}
		run.Results = append(run.Results, res)
	}
	left := len(findings) + len(r.Ignored) - len(run.Results)
	run.Invocations = []sarifInvocation{r.sarifInvocation(left)}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0", Runs: []sarifRun{run},
	})
}

func (r *Report) sarifResult(f policies.Finding) sarifResult {
	at := r.placed(f.Position)
	return sarifResult{
		RuleID: f.Rule, RuleIndex: ruleIndex(f.Rule), Level: sarifLevel(f.Class),
		Message: sarifMessage{sentence(f)},
		Locations: []sarifLocation{{
			sarifPhysical{sarifArtifact{relativeURI(at.File)}, sarifRegion{at.Line, at.Column}},
			[]sarifLogical{{f.Workload.String()}},
		}},
		// The second is the only one that code scanning knows alerts by. Its own
		// action would make one of the line's text, which several findings share.
		PartialFingerprints: map[string]string{"advisor/v1": f.Fingerprint, "primaryLocationLineHash": f.Fingerprint + ":1"},
		Properties:          map[string]any{"class": f.Class, "subject": f.Subject},
	}
}

// sarifInvocation tells what could not be used, and how many results were left
// out.
func (r *Report) sarifInvocation(left int) sarifInvocation {
	inv := sarifInvocation{Successful: true}
	if left > 0 {
		text := plural(left, "result") + " left out to stay within what code scanning takes; the JSON report has all of them"
		inv.Notifications = append(inv.Notifications, sarifNotification{"warning", sarifMessage{text}})
	}
	for _, p := range r.Problems {
		inv.Notifications = append(inv.Notifications, sarifNotification{"warning", sarifMessage{p.String()}})
	}
	return inv
}

func sarifLevel(c policies.Class) string {
	switch c {
	case policies.Missing, policies.Invalid:
		return "error"
	case policies.Unprotected, policies.Excess:
		return "warning"
	}
	return "note"
}

// relativeURI is a path as a URI reference that is never absolute and has no
// "..", which code scanning would not find in the repository.
func relativeURI(file string) string {
	file = path.Clean(filepath.ToSlash(file))
	for {
		rest := strings.TrimPrefix(strings.TrimPrefix(file, "../"), "/")
		if rest == file {
			return (&url.URL{Path: file}).EscapedPath()
		}
		file = rest
	}
}

// joined returns findings as they are or, beyond limit, one for each workload
// and rule.
func joined(findings []policies.Finding, limit int) []policies.Finding {
	if len(findings) <= limit {
		return findings
	}
	type key struct {
		workload policies.Workload
		rule     string
	}
	at := make(map[key]int)
	subjects := make(map[key][]string)
	var list []policies.Finding
	for _, f := range findings {
		k := key{f.Workload, f.Rule}
		if _, ok := at[k]; !ok {
			at[k] = len(list)
			list = append(list, f)
		}
		subjects[k] = append(subjects[k], f.Subject)
	}
	for k, i := range at {
		n := len(subjects[k])
		if n == 1 {
			continue
		}
		list[i].Subject = "" // one more or less is the same alert
		list[i].Fingerprint = policies.Fingerprint(list[i])
		list[i].Subject = fmt.Sprintf("%d findings", n)
		list[i].Message = strings.Join(subjects[k][:min(n, 20)], ", ")
	}
	return slices.Clip(list)
}
