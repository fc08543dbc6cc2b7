package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"

	"advisor/policies"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	File    string        `xml:"file,attr,omitempty"`
	Line    int           `xml:"line,attr,omitempty"`
	Failure *junitFailure `xml:"failure"`
	Skipped *junitFailure `xml:"skipped"`
}

type junitFailure struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit prints a suite for each workload with a case for each finding, which
// fails, or is skipped where it is ignored or cannot be decided. A workload with nothing to find
// fault with is one case that passes.
func (r *Report) JUnit(w io.Writer) error {
	all := junitSuites{Name: "advisor"}
	for _, known := range r.subjects() {
		suite := r.junitSuite(known)
		all.Tests += suite.Tests
		all.Failures += suite.Failures
		all.Skipped += suite.Skipped
		all.Suites = append(all.Suites, suite)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// subjects are all workloads that the report knows or finds fault with, sorted.
func (r *Report) subjects() []policies.Workload {
	var list []policies.Workload
	for _, w := range r.Workloads {
		list = append(list, w.Workload)
	}
	for _, f := range r.Findings {
		list = append(list, f.Workload)
	}
	for _, i := range r.Ignored {
		list = append(list, i.Workload)
	}
	slices.SortFunc(list, policies.Workload.Compare)
	return slices.Compact(list)
}

func (r *Report) junitSuite(w policies.Workload) junitSuite {
	suite := junitSuite{Name: w.String()}
	for _, f := range r.Findings {
		if f.Workload == w {
			c := junitCaseOf(f)
			if f.Class == policies.Unknown {
				c.Failure, c.Skipped = nil, &junitFailure{Message: f.Message}
				suite.Skipped++
			} else {
				suite.Failures++
			}
			suite.Cases = append(suite.Cases, c)
		}
	}
	for _, i := range r.Ignored {
		if i.Workload == w {
			c := junitCaseOf(i.Finding)
			c.Failure, c.Skipped = nil, &junitFailure{Message: i.Reason}
			suite.Cases = append(suite.Cases, c)
			suite.Skipped++
		}
	}
	if len(suite.Cases) == 0 {
		suite.Cases = []junitCase{{Class: w.String(), Name: "no findings"}}
	}
	suite.Tests = len(suite.Cases)
	return suite
}

func junitCaseOf(f policies.Finding) junitCase {
	return junitCase{
		Class: f.Workload.String(), Name: f.Rule + " " + f.Subject,
		File: f.Position.File, Line: f.Position.Line,
		Failure: &junitFailure{
			Type: string(f.Class), Message: f.Message,
			Text: fmt.Sprintf("%s\n%s", sentence(f), f.Position),
		},
	}
}
