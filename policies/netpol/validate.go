package netpol

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validate applies the API server's rules for new objects, in the words of its
// own validation library where that has them. Source of the rules: the
// validation of networking.k8s.io/v1 in Kubernetes 1.37. Legacy spellings of
// CIDRs that it still tolerates are left to [Check].
func validate(p *networkingv1.NetworkPolicy) field.ErrorList {
	errs := validateMeta(p)
	spec := field.NewPath("spec")
	errs = append(errs, validateSelector(&p.Spec.PodSelector, spec.Child("podSelector"))...)
	for i, r := range p.Spec.Ingress {
		errs = append(errs, validateRule(r.From, r.Ports, spec.Child("ingress").Index(i), "from")...)
	}
	for i, r := range p.Spec.Egress {
		errs = append(errs, validateRule(r.To, r.Ports, spec.Child("egress").Index(i), "to")...)
	}
	return append(errs, validateTypes(p.Spec.PolicyTypes, spec.Child("policyTypes"))...)
}

func validateMeta(p *networkingv1.NetworkPolicy) field.ErrorList {
	path := field.NewPath("metadata")
	var errs field.ErrorList
	if p.Name == "" {
		errs = append(errs, field.Required(path.Child("name"), ""))
	} else {
		errs = append(errs, invalid(path.Child("name"), p.Name, validation.IsDNS1123Subdomain(p.Name))...)
	}
	errs = append(errs, invalid(path.Child("namespace"), p.Namespace,
		validation.IsDNS1123Label(p.Namespace))...)
	errs = append(errs, metavalidation.ValidateLabels(p.Labels, path.Child("labels"))...)
	for key := range p.Annotations {
		errs = append(errs, metavalidation.ValidateLabelName(key, path.Child("annotations"))...)
	}
	return errs
}

func invalid(path *field.Path, value any, messages []string) field.ErrorList {
	var errs field.ErrorList
	for _, m := range messages {
		errs = append(errs, field.Invalid(path, value, m))
	}
	return errs
}

func validateSelector(s *metav1.LabelSelector, path *field.Path) field.ErrorList {
	return metavalidation.ValidateLabelSelector(s,
		metavalidation.LabelSelectorValidationOptions{}, path)
}

func validateTypes(types []networkingv1.PolicyType, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(types) > 2 {
		errs = append(errs, field.Invalid(path, types, "may not specify more than two policyTypes"))
	}
	for i, t := range types {
		if !slices.Contains(bothTypes(), t) {
			errs = append(errs, field.NotSupported(path.Index(i), t, bothTypes()))
		}
	}
	return errs
}

func validateRule(peers []networkingv1.NetworkPolicyPeer, ports []networkingv1.NetworkPolicyPort,
	path *field.Path, key string) field.ErrorList {
	var errs field.ErrorList
	for i, p := range ports {
		errs = append(errs, validatePort(p, path.Child("ports").Index(i))...)
	}
	for i, p := range peers {
		errs = append(errs, validatePeer(p, path.Child(key).Index(i))...)
	}
	return errs
}

func validatePort(p networkingv1.NetworkPolicyPort, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	known := []corev1.Protocol{corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP}
	if p.Protocol != nil && !slices.Contains(known, *p.Protocol) {
		errs = append(errs, field.NotSupported(path.Child("protocol"), *p.Protocol, known))
	}
	switch {
	case p.Port == nil:
	case p.Port.Type == intstr.Int:
		errs = append(errs, invalid(path.Child("port"), p.Port.IntVal,
			validation.IsValidPortNum(int(p.Port.IntVal)))...)
	default:
		errs = append(errs, invalid(path.Child("port"), p.Port.StrVal,
			validation.IsValidPortName(p.Port.StrVal))...)
	}
	return append(errs, validateEndPort(p, path.Child("endPort"))...)
}

func validateEndPort(p networkingv1.NetworkPolicyPort, path *field.Path) field.ErrorList {
	switch {
	case p.EndPort == nil:
		return nil
	case p.Port == nil:
		return field.ErrorList{field.Invalid(path, *p.EndPort,
			"may not be specified when `port` is not specified")}
	case p.Port.Type == intstr.String:
		return field.ErrorList{field.Invalid(path, *p.EndPort,
			"may not be specified when `port` is non-numeric")}
	case *p.EndPort < p.Port.IntVal:
		return field.ErrorList{field.Invalid(path, *p.EndPort,
			"must be greater than or equal to `port`")}
	}
	return invalid(path, *p.EndPort, validation.IsValidPortNum(int(*p.EndPort)))
}

func validatePeer(p networkingv1.NetworkPolicyPeer, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if p.PodSelector != nil {
		errs = append(errs, validateSelector(p.PodSelector, path.Child("podSelector"))...)
	}
	if p.NamespaceSelector != nil {
		errs = append(errs, validateSelector(p.NamespaceSelector, path.Child("namespaceSelector"))...)
	}
	selects := p.PodSelector != nil || p.NamespaceSelector != nil
	switch {
	case p.IPBlock == nil && !selects:
		errs = append(errs, field.Required(path, "must specify a peer"))
	case p.IPBlock != nil && selects:
		errs = append(errs, field.Forbidden(path.Child("ipBlock"),
			"may not specify both ipBlock and another peer"))
	}
	if p.IPBlock != nil {
		errs = append(errs, validateBlock(p.IPBlock, path.Child("ipBlock"))...)
	}
	return errs
}

func validateBlock(b *networkingv1.IPBlock, path *field.Path) field.ErrorList {
	if b.CIDR == "" {
		return field.ErrorList{field.Required(path.Child("cidr"), "")}
	}
	cidr, errs := validateCIDR(b.CIDR, path.Child("cidr"))
	for i, text := range b.Except {
		at := path.Child("except").Index(i)
		except, problems := validateCIDR(text, at)
		errs = append(errs, problems...)
		if cidr.IsValid() && except.IsValid() &&
			(!cidr.Contains(except.Addr()) || except.Bits() <= cidr.Bits()) {
			errs = append(errs, field.Invalid(at, text, "must be a strict subset of `cidr`"))
		}
	}
	return errs
}

// validateCIDR accepts host bits, which the API server tolerates, but nothing
// that netip does not read: leading zeros and v4-mapped addresses have more
// than one meaning.
func validateCIDR(text string, path *field.Path) (netip.Prefix, field.ErrorList) {
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, field.ErrorList{field.Invalid(path, text,
			"must be a valid CIDR value, such as 10.9.8.0/24 or 2001:db8::/64")}
	}
	return p.Masked(), nil
}
