package report

import (
	"errors"
	"slices"

	"advisor/policies"
	"advisor/policies/caps"
	"advisor/policies/manifest"
	"advisor/policies/seccomp"
)

// Rules of the findings about manifests that would not be taken.
const (
	RuleUnreadable = "manifest/unreadable" // neither YAML nor JSON
	RuleRefused    = "manifest/refused"    // the API server would refuse the object
)

// refuse keeps errors as findings at their places. Templates, which others render,
// services that extend what is not here, and errors without a place are only problems.
func (m *Manifests) refuse(rule string, errs ...error) {
	for _, err := range errs {
		var placed *manifest.Error
		if errors.Is(err, manifest.ErrTemplate) || errors.Is(err, caps.ErrElsewhere) || !errors.As(err, &placed) {
			m.problems(err)
			continue
		}
		f := policies.Finding{
			Class: policies.Invalid, Rule: rule, Workload: m.owner(placed.Position),
			Subject: placed.Err.Error(), Position: placed.Position,
		}
		if rule == RuleUnreadable {
			f.Message = "nothing of this document counts"
		} else {
			f.Message = "refused as it stands"
		}
		f.Fingerprint = policies.Fingerprint(f)
		m.Refused = append(m.Refused, f)
	}
}

// Unusable fails with each place where a document, or a policy of the kinds asked
// about, could not be taken into account: what is said of the rest is no answer.
func (m Manifests) Unusable(kinds ...string) error {
	var errs []error
	for _, f := range m.Refused {
		profile := f.Rule == seccomp.RuleInvalid && slices.Contains(kinds, KindSeccomp)
		policy := f.Workload.Kind == "NetworkPolicy" && slices.Contains(kinds, KindNetpol)
		if f.Rule == RuleUnreadable || profile || policy {
			errs = append(errs, errors.New(Problem{f.Position, f.Subject + ": " + f.Message}.String()))
		}
	}
	return errors.Join(errs...)
}

// Wrong is everything that is wrong with the manifests: what was not used, what
// cannot be read, and what nobody would take, sorted.
func (m Manifests) Wrong() []Problem {
	list := slices.Clone(m.Problems)
	for _, f := range m.Refused {
		list = append(list, Problem{f.Position, f.Subject + ": " + f.Message})
	}
	slices.SortStableFunc(list, func(a, b Problem) int { return a.Position.Compare(b.Position) })
	return list
}

// Empty says that the manifests declare nothing at all.
func (m Manifests) Empty() bool { return len(m.Objects)+len(m.Declared)+len(m.Profiles) == 0 }

// owner names the object that a place is in: the last that begins before it.
func (m *Manifests) owner(at policies.Position) policies.Workload {
	w := policies.Workload{Kind: "File", Name: at.File}
	line := 0
	for _, o := range m.Objects {
		if begin := o.Position().Line; o.File == at.File && begin <= at.Line && begin > line && o.Kind != "" {
			line = begin
			w = policies.Workload{Namespace: o.Namespace, Kind: o.Kind, Name: o.Name}
		}
	}
	return w
}

// sortRefused orders the findings, one for each place: what reads an object
// twice finds fault with it twice.
func (m *Manifests) sortRefused() {
	slices.SortFunc(m.Refused, policies.Finding.Compare)
	slices.SortStableFunc(m.Refused, func(a, b policies.Finding) int {
		return a.Position.Compare(b.Position)
	})
	m.Refused = slices.CompactFunc(m.Refused, func(a, b policies.Finding) bool {
		return a.Position == b.Position
	})
}

// withRefused adds the manifests' own findings, for a comparison of everything.
// Of a profile that is refused they say why, so what only says that goes.
func withRefused(findings []policies.Finding, m Manifests, c Comparison) []policies.Finding {
	if len(c.Workloads) > 0 {
		return findings
	}
	invalid := slices.Concat(findings, m.Refused)
	said := func(f policies.Finding) bool {
		return f.Rule == seccomp.RuleRefused && slices.ContainsFunc(invalid, func(r policies.Finding) bool {
			return r.Rule == seccomp.RuleInvalid && r.Position.File == f.Position.File
		})
	}
	return append(slices.DeleteFunc(findings, said), m.Refused...)
}
