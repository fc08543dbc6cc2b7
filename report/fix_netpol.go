package report

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/policies/manifest"
	"advisor/policies/netpol"
)

// fixNetpol edits NetworkPolicies, in the texts as the other kinds left them.
// Each policy is changed by itself, and what comes out is held against the
// observation again: a change that makes anything worse is not made.
func (f *fixer) fixNetpol(r *Report, seen Observed) {
	wanted := make(map[string]bool)
	for _, finding := range r.Findings {
		if strings.HasPrefix(finding.Rule, KindNetpol+"/") {
			wanted[finding.Fingerprint] = true
		}
	}
	dialect, ok := netpol.DialectOf(f.c.Dialect)
	if len(wanted) == 0 || !ok {
		return
	}
	n := netpolFixer{fixer: f, dialect: dialect, seen: seen.Observations, done: make(map[string]bool)}
	for n.fixOne(wanted) { // the lines of the others move with each change
	}
}

type netpolFixer struct {
	*fixer
	dialect netpol.Dialect
	seen    []policies.Observation
	done    map[string]bool // by policy, and by fingerprint of what has no remedy
}

// declared reads the policies of the texts as they are now.
func (n *netpolFixer) declared(changed string, text []byte) ([]netpol.Policy, *netpol.Inventory, []error) {
	var objects []manifest.Object
	var errs []error
	known := make(map[string]bool)
	for _, o := range n.m.Objects {
		if known[o.File] {
			continue
		}
		known[o.File] = true
		body := n.text(o.File)
		if o.File == changed {
			body = text
		}
		found, bad := n.m.objects(o.File, body)
		objects, errs = append(objects, found...), append(errs, bad...)
	}
	declared, bad := netpol.Parse(objects, "")
	inv, worse := netpol.NewInventory(objects, n.seen)
	return declared, inv, slices.Concat(errs, bad, worse)
}

// fixOne changes the next policy for which there is something to do, and says
// whether there was one.
func (n *netpolFixer) fixOne(wanted map[string]bool) bool {
	declared, inv, before := n.declared("", nil)
	var policy *netpol.Policy
	var chosen []netpol.Remedy
	for _, r := range netpol.Remedies(declared, inv, n.seen, n.dialect) {
		if !wanted[r.Finding.Fingerprint] {
			continue
		}
		if r.Why != "" {
			n.giveUp(r)
			continue
		}
		if policy == nil && !n.done[r.Policy.String()] {
			policy = r.Policy
		}
		if r.Policy == policy {
			chosen = append(chosen, r)
		}
	}
	if policy == nil {
		return false
	}
	n.done[policy.String()] = true
	file := policy.Object.File
	e := manifest.NewEditor(n.text(file))
	err := netpol.Amend(e, chosen, inv, n.dialect)
	if err == nil {
		err = n.recheck(file, e.Bytes(), chosen, before)
	}
	if err != nil {
		n.fail(policy.Position(), fmt.Errorf("NetworkPolicy %s is not fixed: %w", policy, err))
		return true
	}
	n.texts[file] = e.Bytes()
	return true
}

// giveUp says once why a finding stays.
func (n *netpolFixer) giveUp(r netpol.Remedy) {
	if key := r.Finding.Fingerprint + r.Why; !n.done[key] {
		n.done[key] = true
		n.fail(r.Finding.Position, fmt.Errorf("%s is not fixed: %s", r.Finding.Subject, r.Why))
	}
}

// recheck holds the changed text against the observation: what was to go is
// gone, nothing else is missing, and nothing that could be read cannot be now.
func (n *netpolFixer) recheck(file string, text []byte, chosen []netpol.Remedy, before []error) error {
	old, inv, _ := n.declared("", nil)
	had := make(map[string]bool)
	for _, f := range netpol.Check(old, inv, n.seen, n.dialect) {
		had[f.Fingerprint] = true
	}
	for _, r := range chosen {
		had[r.Finding.Fingerprint] = false
	}
	declared, inv, errs := n.declared(file, text)
	if len(errs) > len(before) || len(declared) != len(old) {
		return errors.Join(append([]error{errors.New("the result could not be read")}, errs...)...)
	}
	was, _ := n.m.objects(file, n.text(file))
	is, _ := n.m.objects(file, text)
	worse := []error{manifest.Changed(was, is, func(o manifest.Object, path []any, _ any) bool {
		return chosen[0].Policy.Object.Position() == o.Position() && len(path) > 1 && path[0] == "spec" &&
			slices.Contains([]any{"ingress", "egress", "policyTypes"}, path[1])
	})}
	for _, f := range netpol.Check(declared, inv, n.seen, n.dialect) {
		// A policy that no rule is left of may say no more than others do.
		if !had[f.Fingerprint] && f.Class != policies.Unknown && f.Rule != "netpol/redundant" {
			worse = append(worse, fmt.Errorf("%s would still be %s", f.Subject, f.Class))
		}
	}
	return errors.Join(worse...)
}
