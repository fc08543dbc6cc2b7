package report

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/policies/manifest"
	"advisor/policies/netpol"
)

// fixNetpol edits NetworkPolicies, in the texts as the other kinds left them. What
// comes out is held against the observation again: a change that makes anything
// worse is not made.
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
	n := netpolFixer{fixer: f, dialect: dialect, seen: seen.Observations, had: make(map[string]bool)}
	n.old, n.inv, n.before = n.declared(nil)
	for _, f := range netpol.Check(n.old, n.inv, n.seen, dialect) {
		n.had[f.Fingerprint] = true
	}
	for file, text := range n.edited(n.best(n.amendments(wanted))) {
		n.texts[file] = text
	}
}

// netpolFixer mends all policies at once: whatever is tried is read and held
// against the observation as a whole.
type netpolFixer struct {
	*fixer
	dialect netpol.Dialect
	seen    []policies.Observation
	old     []netpol.Policy   // as they are before
	inv     *netpol.Inventory // the same
	before  []error           // what is wrong with the texts before
	had     map[string]bool   // findings before, by fingerprint
}

// amendment is all that is to change in one policy.
type amendment []netpol.Remedy

func (a amendment) policy() *netpol.Policy { return a[0].Policy }

// amendments are the changes for findings that are wanted away, by policy. What
// cannot be changed is told.
func (n *netpolFixer) amendments(wanted map[string]bool) []amendment {
	var list []amendment
	at := make(map[*netpol.Policy]int)
	told := make(map[string]bool)
	for _, r := range netpol.Remedies(n.old, n.inv, n.seen, n.dialect) {
		key := r.Finding.Fingerprint + r.Why
		switch {
		case !wanted[r.Finding.Fingerprint]:
		case r.Why != "":
			if !told[key] {
				told[key] = true
				n.fail(r.Finding.Position, fmt.Errorf("%s is not fixed: %s", r.Finding.Subject, r.Why))
			}
		default:
			i, known := at[r.Policy]
			if !known {
				i = len(list)
				at[r.Policy] = i
				list = append(list, nil)
			}
			list[i] = append(list[i], r)
		}
	}
	return slices.DeleteFunc(list, func(a amendment) bool {
		err := netpol.Amend(manifest.NewEditor(n.text(a.policy().Object.File)), a, n.inv, n.dialect)
		if err != nil {
			n.giveUp(a, err)
		}
		return err != nil
	})
}

// giveUp says why a policy stays as it is.
func (n *netpolFixer) giveUp(a amendment, err error) {
	n.fail(a.policy().Position(), fmt.Errorf("NetworkPolicy %s is not fixed: %w", a.policy(), err))
}

// best are the amendments that make nothing worse together. Those that a finding
// which is left speaks of are left out first, and else found by halves.
func (n *netpolFixer) best(list []amendment) []amendment {
	worse := n.worse(list)
	if worse == nil {
		return list
	}
	good := slices.DeleteFunc(slices.Clone(list), func(a amendment) bool { return worse.of(a) != nil })
	if len(good) == len(list) || n.worse(good) != nil {
		return n.add(nil, list)
	}
	for _, a := range list {
		if err := worse.of(a); err != nil {
			n.giveUp(a, err)
		}
	}
	return good
}

// add adds as many of more to what is good as it stays good with.
func (n *netpolFixer) add(good, more []amendment) []amendment {
	if len(more) == 0 {
		return good
	}
	both := slices.Concat(good, more)
	worse := n.worse(both)
	switch {
	case worse == nil:
		return both
	case len(more) == 1:
		n.giveUp(more[0], worse)
		return good
	}
	half := len(more) / 2
	return n.add(n.add(good, more[:half]), more[half:])
}

// edited are the texts of the files that the amendments change.
func (n *netpolFixer) edited(list []amendment) map[string][]byte {
	editors := make(map[string]*manifest.Editor)
	for _, a := range list {
		file := a.policy().Object.File
		if editors[file] == nil {
			editors[file] = manifest.NewEditor(n.text(file))
		}
		if err := netpol.Amend(editors[file], a, n.inv, n.dialect); err != nil {
			continue // it was tried by itself, and does not depend on others
		}
	}
	texts := make(map[string][]byte)
	for file, e := range editors {
		texts[file] = e.Bytes()
	}
	return texts
}

// declared reads the policies of the texts as they would be with some changed.
func (n *netpolFixer) declared(changed map[string][]byte) ([]netpol.Policy, *netpol.Inventory, []error) {
	var objects []manifest.Object
	var errs []error
	known := make(map[string]bool)
	for _, o := range n.m.Objects {
		if known[o.File] {
			continue
		}
		known[o.File] = true
		body, ok := changed[o.File]
		if !ok {
			body = n.text(o.File)
		}
		found, bad := n.m.objects(o.File, body)
		objects, errs = append(objects, found...), append(errs, bad...)
	}
	declared, bad := netpol.Parse(objects, "")
	inv, worse := netpol.NewInventory(objects, n.seen)
	return declared, inv, slices.Concat(errs, bad, worse)
}

// worse is what would be worse with the amendments, nil where nothing is: what was
// to go is gone, nothing else is found, nothing besides is changed, and what could
// be read can be read.
func (n *netpolFixer) worse(list []amendment) *worse {
	texts := n.edited(list)
	declared, inv, errs := n.declared(texts)
	w := &worse{}
	if len(errs) > len(n.before) || len(declared) != len(n.old) {
		w.errs = append([]error{errors.New("the result could not be read")}, errs...)
		return w
	}
	for _, file := range slices.Sorted(maps.Keys(texts)) {
		w.errs = append(w.errs, n.besides(file, texts[file], list))
	}
	meant := make(map[string]bool)
	for _, a := range list {
		for _, r := range a {
			meant[r.Finding.Fingerprint] = true
		}
	}
	for _, f := range netpol.Check(declared, inv, n.seen, n.dialect) {
		// A policy that no rule is left of may say no more than others do.
		fresh := meant[f.Fingerprint] || !n.had[f.Fingerprint]
		if fresh && f.Class != policies.Unknown && f.Rule != "netpol/redundant" {
			w.findings = append(w.findings, f)
		}
	}
	if errors.Join(w.errs...) == nil && len(w.findings) == 0 {
		return nil
	}
	return w
}

// besides is what a changed text changes besides the rules of the policies.
func (n *netpolFixer) besides(file string, text []byte, list []amendment) error {
	meant := make(map[policies.Position]bool)
	for _, a := range list {
		meant[a.policy().Object.Position()] = true
	}
	was, _ := n.m.objects(file, n.text(file))
	is, _ := n.m.objects(file, text)
	return manifest.Changed(was, is, func(o manifest.Object, path []any, _ any) bool {
		return meant[o.Position()] && len(path) > 1 && path[0] == "spec" &&
			slices.Contains([]any{"ingress", "egress", "policyTypes"}, path[1])
	})
}

// worse is why changes are not made.
type worse struct {
	errs     []error
	findings []policies.Finding
}

// Error lists it all.
func (w *worse) Error() string {
	errs := slices.Clone(w.errs)
	for _, f := range w.findings {
		errs = append(errs, fmt.Errorf("%s would still be %s", f.Subject, f.Class))
	}
	return errors.Join(errs...).Error()
}

// of is the part that one amendment has to answer for, nil where none is known.
func (w *worse) of(a amendment) error {
	var errs []error
	for _, f := range w.findings {
		own := f.Workload.Kind == "NetworkPolicy" && f.Workload.Name == a.policy().Name &&
			f.Workload.Namespace == a.policy().Namespace
		if own || slices.ContainsFunc(a, func(r netpol.Remedy) bool { return r.Finding.Fingerprint == f.Fingerprint }) {
			errs = append(errs, fmt.Errorf("%s would still be %s", f.Subject, f.Class))
		}
	}
	return errors.Join(errs...)
}
