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

// sarifLimit is how many results are written one by one. GitHub refuses a run
// with more than 25,000 and shows the first 5,000; beyond this many nobody
// reads them, and they are joined by workload and rule.
const sarifLimit = 1000

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
	for _, f := range joined(r.Findings, sarifLimit) {
		run.Results = append(run.Results, r.sarifResult(f))
	}
	for _, i := range r.Ignored[:min(len(r.Ignored), sarifLimit)] {
		res := r.sarifResult(i.Finding)
		res.Suppressions = []sarifSuppression{{Kind: "external", Justification: i.Reason}}
		run.Results = append(run.Results, res)
	}
	run.Invocations = []sarifInvocation{r.sarifInvocation()}
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
		PartialFingerprints: map[string]string{"advisor/v1": f.Fingerprint},
		Properties:          map[string]any{"class": f.Class, "subject": f.Subject},
	}
}

func (r *Report) sarifInvocation() sarifInvocation {
	inv := sarifInvocation{Successful: true}
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
		list[i].Subject = fmt.Sprintf("%d findings", n)
		list[i].Message = strings.Join(subjects[k][:min(n, 20)], ", ")
		list[i].Fingerprint = policies.Fingerprint(list[i])
	}
	return slices.Clip(list)
}
