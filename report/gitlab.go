package report

import (
	"encoding/json"
	"io"

	"advisor/policies"
)

// codeQuality is one entry of GitLab's Code Quality report, of which GitLab
// reads these fields and requires all.
type codeQuality struct {
	Description string              `json:"description"`
	CheckName   string              `json:"check_name"`
	Fingerprint string              `json:"fingerprint"`
	Severity    string              `json:"severity"`
	Location    codeQualityLocation `json:"location"`
}

type codeQualityLocation struct {
	Path  string           `json:"path"`
	Lines codeQualityLines `json:"lines"`
}

type codeQualityLines struct {
	Begin int `json:"begin"`
}

// GitLab prints a Code Quality report. A finding without a place is put on the
// first line of the first manifest: GitLab shows none without one.
func (r *Report) GitLab(w io.Writer) error {
	list := []codeQuality{}
	for _, f := range r.Findings {
		at := r.placed(f.Position)
		list = append(list, codeQuality{
			Description: sentence(f), CheckName: f.Rule, Fingerprint: f.Fingerprint,
			Severity: gitlabSeverity(f.Class),
			Location: codeQualityLocation{at.File, codeQualityLines{at.Line}},
		})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(list)
}

// placed is a position that surely names a file and a line.
func (r *Report) placed(p policies.Position) policies.Position {
	if p.File == "" && len(r.Manifests) > 0 {
		p.File = r.Manifests[0]
	}
	if p.File == "" && len(r.Traces) > 0 {
		p.File = r.Traces[0]
	}
	p.Line = max(p.Line, 1)
	return p
}

func gitlabSeverity(c policies.Class) string {
	switch c {
	case policies.Missing, policies.Invalid:
		return "critical"
	case policies.Unprotected:
		return "major"
	case policies.Excess:
		return "minor"
	}
	return "info"
}
