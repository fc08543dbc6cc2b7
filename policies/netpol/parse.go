package netpol

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"advisor/policies/manifest"

	networkingv1 "k8s.io/api/networking/v1"
)

// Parse returns the NetworkPolicies among objects, each in the namespace it
// names or else in defaultNamespace ("default" when that is empty too). It is
// as strict as the API server: a policy that it would refuse is an error with
// its place and is not among the results, nor is a second one of the same name.
func Parse(objects []manifest.Object, defaultNamespace string) ([]Policy, []error) {
	var policies []Policy
	var errs []error
	first := make(map[string]*Policy)
	for _, o := range objects {
		if o.Kind != "NetworkPolicy" || isOtherPolicy(o) {
			continue
		}
		p, problems := parsePolicy(o, namespaceOf(defaultNamespace))
		if earlier := first[p.String()]; earlier != nil && len(problems) == 0 {
			problems = []error{place(o, nil, fmt.Errorf("NetworkPolicy %s: is also at %s", p.String(),
				earlier.Position()))}
		}
		if len(problems) > 0 {
			errs = append(errs, problems...)
			continue
		}
		policies = append(policies, p)
		first[p.String()] = &p
	}
	return policies, errs
}

func parsePolicy(o manifest.Object, namespace string) (Policy, []error) {
	p := Policy{Object: o}
	if want := networkingv1.SchemeGroupVersion.String(); o.APIVersion != want {
		return p, []error{place(o, []any{"apiVersion"}, fmt.Errorf(
			"NetworkPolicy %s: apiVersion %q is not served, only %s", o.Name, o.APIVersion, want))}
	}
	if errs := o.Decode(&p.NetworkPolicy); len(errs) > 0 {
		return p, named(o, errs)
	}
	if p.Namespace == "" {
		p.Namespace = namespace
	}
	var errs []error
	for _, e := range validate(&p.NetworkPolicy) {
		errs = append(errs, place(o, pathOf(e.Field), fmt.Errorf("NetworkPolicy %s: %w", p.Name, e)))
	}
	return p, errs
}

// named puts the policy's name into errors that have a place already.
func named(o manifest.Object, errs []error) []error {
	for i, err := range errs {
		var at *manifest.Error
		if errors.As(err, &at) {
			errs[i] = &manifest.Error{Position: at.Position,
				Err: fmt.Errorf("NetworkPolicy %s: %w", o.Name, at.Err)}
		}
	}
	return errs
}

func place(o manifest.Object, path []any, err error) error {
	return &manifest.Error{Position: o.Position(path...), Err: err}
}

var steps = regexp.MustCompile(`[^.\[\]]+|\[[^\]]*\]`)

// pathOf turns a field's path as in spec.ingress[0].from into steps.
func pathOf(fieldPath string) []any {
	var path []any
	for _, step := range steps.FindAllString(fieldPath, -1) {
		inner, isIndex := strings.CutPrefix(step, "[")
		inner = strings.TrimSuffix(inner, "]")
		if n, err := strconv.Atoi(inner); isIndex && err == nil {
			path = append(path, n)
			continue
		}
		path = append(path, inner)
	}
	return path
}
