package report

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/policies/caps"
	"advisor/policies/manifest"
	"advisor/policies/netpol"
	"advisor/policies/seccomp"
)

// Request says which policies to make, and how.
type Request struct {
	Kinds     []string
	Format    string   // of all kinds asked for; empty is each kind's default
	Workloads []string // globs as in [MatchWorkload]; empty is all
	Seccomp   seccomp.Options
	Netpol    netpol.Options
	Caps      caps.Options
	// Verified are results of experiments, each with one of the workloads.
	Verified []caps.Verified
	// Objects say more about the cluster than traces do: owners, labels,
	// Services.
	Objects []manifest.Object

	verified map[policies.Workload]*caps.Verified // by the workload they are of
}

// Policies makes the policies of every workload, by workload and then in the
// order of [Kinds]. What goes wrong with one workload is in the error and
// leaves the others alone; an [UnprovenError] among it means that advisor is
// wrong, and nothing should be shown.
func Policies(seen []policies.Observation, req Request) ([]Policy, error) {
	chosen, err := req.choose(seen)
	if err != nil {
		return nil, err
	}
	var list []Policy
	var errs []error
	var notes []string
	for _, kind := range Kinds() {
		if !slices.Contains(req.Kinds, kind) {
			continue
		}
		format, err := FormatOf(kind, req.Format)
		if err != nil {
			return nil, err
		}
		made, none, err := ofKind(kind, seen, chosen, req, format)
		list, notes, errs = append(list, made...), append(notes, none...), append(errs, err)
	}
	slices.SortStableFunc(list, func(a, b Policy) int { return a.Workload.Compare(b.Workload) })
	tellApart(list)
	switch {
	case len(notes) == 0:
	case len(list) > 0: // the other kinds still say something
		list[0].Notes = append(list[0].Notes, notes...)
	default:
		errs = append(errs, ungovernedError(notes))
	}
	return list, errors.Join(errs...)
}

// choose are the observations of the workloads asked for, once each result of
// an experiment has found the one that it is of.
func (req *Request) choose(seen []policies.Observation) ([]policies.Observation, error) {
	chosen, err := Select(seen, req.Workloads)
	if err != nil {
		return nil, err
	}
	req.verified, err = assigned(req.Verified, chosen)
	return chosen, err
}

// tellApart gives files of one name, which differ in what a file's name cannot
// say, a number from the second on.
func tellApart(list []Policy) {
	count := make(map[string]int)
	for i, p := range list {
		count[p.File]++
		if n := count[p.File]; n > 1 {
			stem, suffix, _ := strings.Cut(p.File, ".")
			list[i].File = fmt.Sprintf("%s-%d.%s", stem, n, suffix)
		}
	}
}

// ofKind makes the policies of one kind, or says why there is none to make.
func ofKind(kind string, seen, chosen []policies.Observation, req Request, format Format,
) (list []Policy, none []string, err error) {
	var errs []error
	var sighted []policies.Observation
	for _, o := range chosen {
		if err := blind(o, kind); err != nil {
			errs = append(errs, err)
			continue
		}
		sighted = append(sighted, o)
	}
	if kind == KindNetpol {
		list, none, err := netpolOf(seen, sighted, req, format)
		return list, none, errors.Join(append(errs, err)...)
	}
	for _, o := range sighted {
		p, err := single(kind, o, req, format)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		list = append(list, p)
	}
	return list, nil, errors.Join(errs...)
}

// single makes a policy that concerns one container alone.
func single(kind string, o policies.Observation, req Request, format Format) (Policy, error) {
	if kind == KindSeccomp {
		return Seccomp(o, req.Seccomp, format)
	}
	return Caps(o, req.capsOptions(o), format)
}

// netpolOf makes the policies of chosen workloads with the flows of all in
// sight, which tell whose addresses their peers are; or says why none of them
// gets one.
func netpolOf(seen, chosen []policies.Observation, req Request, format Format) ([]Policy, []string, error) {
	if len(chosen) == 0 {
		return nil, nil, nil
	}
	inv, errs := netpol.NewInventory(req.Objects, seen)
	all, err := Netpol(seen, inv, req.Netpol, format)
	var ungoverned ungovernedError
	if errors.As(err, &ungoverned) {
		err = nil
	}
	var list []Policy
	for _, p := range all {
		whole := p.Workload.Kind == kindNamespace || p.Workload.Kind == netpol.KindMachine
		if p.Workload.Kind == netpol.KindMachine && len(chosen) < len(seen) {
			p.Notes = append(p.Notes, "it is of all workloads of the machine: --workload chooses none of them")
		}
		if whole || slices.ContainsFunc(chosen, func(o policies.Observation) bool {
			return samePod(o.Workload, p.Workload)
		}) {
			list = append(list, p)
		}
	}
	return list, ungoverned, errors.Join(append(errs, err)...)
}

// blind says that nothing was looked for that the policy would be made of: what
// comes out would forbid everything.
func blind(o policies.Observation, kind string) error {
	facts, probe := len(o.Capabilities), "capabilities"
	switch kind {
	case KindSeccomp:
		facts, probe = len(o.Syscalls), "syscalls"
	case KindNetpol:
		facts, probe = len(o.Connects)+len(o.Accepts)+len(o.Listens), "network"
	}
	for _, off := range o.Evidence.Off {
		if facts == 0 && strings.HasPrefix(off, probe+":") {
			return fmt.Errorf("%s: nothing was recorded that a %s policy could be made of (%s)", o.Workload, kind, off)
		}
	}
	return nil
}

// Select returns the observations of the workloads that any of the globs
// names. One that names none is an error that lists what there is.
func Select(seen []policies.Observation, globs []string) ([]policies.Observation, error) {
	if len(globs) == 0 {
		return seen, nil
	}
	for _, glob := range globs {
		if !slices.ContainsFunc(seen, func(o policies.Observation) bool { return MatchWorkload(glob, o.Workload) }) {
			return nil, fmt.Errorf("no workload matches %q; there are:\n%s", glob, WorkloadList(seen))
		}
	}
	var chosen []policies.Observation
	for _, o := range seen {
		if slices.ContainsFunc(globs, func(glob string) bool { return MatchWorkload(glob, o.Workload) }) {
			chosen = append(chosen, o)
		}
	}
	return chosen, nil
}

// WorkloadList names the workloads of observations, one a line.
func WorkloadList(seen []policies.Observation) string {
	var names []string
	for _, o := range seen {
		names = append(names, "  "+o.Workload.String())
	}
	return strings.Join(names, "\n")
}
