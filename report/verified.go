package report

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"advisor/policies"
	"advisor/policies/caps"
)

// ErrSeveral says that results of an experiment fit several workloads.
var ErrSeveral = errors.New("it fits several workloads")

// LoadVerified reads results of experiments.
func LoadVerified(files []string) ([]caps.Verified, error) {
	var list []caps.Verified
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading the result of an experiment: %w", err)
		}
		v, err := caps.ParseVerified(file, text)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

// assigned are the results of experiments by the workloads they are of. It
// fails where one is of none of them, or of several, or where two are of one:
// results that do not belong must not make a list.
func assigned(list []caps.Verified, chosen []policies.Observation) (map[policies.Workload]*caps.Verified, error) {
	of := make(map[policies.Workload]*caps.Verified)
	var errs []error
	for i := range list {
		v := &list[i]
		w, err := ownerOf(*v, chosen)
		if err == nil && of[w] != nil {
			err = fmt.Errorf("it is of %s, and so is %s", w, of[w].File)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", v.File, err))
			continue
		}
		of[w] = v
	}
	return of, errors.Join(errs...)
}

// ownerOf is the workload that an experiment was made with.
func ownerOf(v caps.Verified, chosen []policies.Observation) (policies.Workload, error) {
	var fits, named []policies.Observation
	var reasons strings.Builder
	for _, o := range chosen {
		ok, why := v.Belongs(o)
		switch {
		case !ok:
			fmt.Fprintf(&reasons, "\n  %s: %s", o.Workload, why)
			continue
		case v.Workload == o.Workload:
			named = append(named, o)
		}
		fits = append(fits, o)
	}
	if len(named) > 0 {
		fits = named
	}
	switch len(fits) {
	case 0:
		return policies.Workload{}, fmt.Errorf("it belongs to no workload of the recording:%s", reasons.String())
	case 1:
		return fits[0].Workload, nil
	}
	return policies.Workload{}, fmt.Errorf("%w:\n%s", ErrSeveral, WorkloadList(fits))
}

// capsOptions are the options for one workload.
func (req Request) capsOptions(o policies.Observation) caps.Options {
	opt := req.Caps
	opt.Verified = req.verified[o.Workload]
	return opt
}
