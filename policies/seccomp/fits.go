package seccomp

import (
	"errors"
	"fmt"
	"math"
)

// fits says what of the profile a format has no words for.
func (p Profile) fits(f Format) error {
	var errs []error
	switch f {
	case OCI:
		errs = p.plain()
	case Docker:
	case Podman:
		errs = p.withoutMinKernel()
	case SPO, SPOBeta:
		errs = append(p.plain(), p.asObject()...)
	default:
		return fmt.Errorf("%q is not a format", f)
	}
	if f != SPO && f != SPOBeta {
		errs = append(errs, p.withoutObject()...)
	}
	return errors.Join(errs...)
}

// plain finds what only the engines' wider forms have.
func (p Profile) plain() []error {
	var errs []error
	if len(p.ArchMap) > 0 {
		errs = append(errs, errors.New("archMap depends on the engine: resolve the profile first"))
	}
	for i, r := range p.Rules {
		if !r.Includes.empty() || !r.Excludes.empty() {
			errs = append(errs, fmt.Errorf(
				"rule %d: includes and excludes depend on the engine: resolve the profile first", i))
		}
		if r.Comment != "" {
			errs = append(errs, fmt.Errorf("rule %d: there is no place for a comment", i))
		}
	}
	return errs
}

func (p Profile) withoutMinKernel() []error {
	var errs []error
	for i, r := range p.Rules {
		if r.Includes.MinKernel != "" || r.Excludes.MinKernel != "" {
			errs = append(errs, fmt.Errorf("rule %d: minKernel is ignored there", i))
		}
	}
	return errs
}

// withoutObject finds what only SeccompProfile objects have.
func (p Profile) withoutObject() []error {
	var errs []error
	if p.Base != "" {
		errs = append(errs, fmt.Errorf("the calls of the base profile %q are not in it", p.Base))
	}
	if p.Disabled {
		errs = append(errs, errors.New("a disabled profile has no form"))
	}
	for _, a := range p.Architectures {
		if a == Native {
			errs = append(errs, fmt.Errorf("architecture %s: resolve the profile first", a))
		}
	}
	return errs
}

// asObject finds what the SeccompProfile resource has no field for.
func (p Profile) asObject() []error {
	var errs []error
	if p.DefaultErrno != nil {
		errs = append(errs, fmt.Errorf(
			"there is no defaultErrnoRet, which is %d here: use WithoutDefaultErrno", *p.DefaultErrno))
	}
	for i, r := range p.Rules {
		for _, a := range r.Args {
			if a.Value > math.MaxInt64 || a.ValueTwo > math.MaxInt64 {
				errs = append(errs, fmt.Errorf(
					"rule %d: argument %d: values end at 2^63-1 there", i, a.Index))
			}
		}
		if r.Errno != nil && *r.Errno > math.MaxInt32 {
			errs = append(errs, fmt.Errorf("rule %d: errnoRet ends at 2^31-1 there", i))
		}
	}
	return errs
}
