package netpol

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Values of [Options.Unresolved].
const (
	UnresolvedFail    = "fail"    // an unresolved peer is an error
	UnresolvedOmit    = "omit"    // it gets no rule, and stands in the result
	UnresolvedIPBlock = "ipblock" // it gets a rule for its one address, with the reason
)

// Values of [Options.ServicePorts].
const (
	ServicePortsTarget = "target" // the port of the pods behind the Service
	ServicePortsBoth   = "both"   // and the Service's own, for agents that look before translation
)

// Values of [Options.ExternalIngress].
const (
	ExternalCIDR = "cidr" // the addresses that were observed
	ExternalAny  = "any"  // every source, on the observed port
	ExternalNone = "none" // no rule
)

// Options are the choices of [Synthesize]. The zero value is the default.
type Options struct {
	Version    string // of the program, for the header of the YAML; may be empty
	Namespace  string // only workloads of this one
	Unresolved string // default ipblock
	// DefaultDeny adds a policy to each namespace that isolates all its pods.
	DefaultDeny     bool
	CIDRAggregate   Aggregation
	ServicePorts    string // default target
	ExternalIngress string // default cidr
	// NodeCIDRs are the ranges in which nodes have their addresses: a rule for a
	// node becomes one for all of them.
	NodeCIDRs []netip.Prefix
	// NamedPorts writes a port by its name where all pods that a rule may reach
	// declare that name for it.
	NamedPorts bool
	// SystemNamespaces also makes policies for the kube- and openshift- ones.
	SystemNamespaces bool
	// Dialect is the implementation that the result is proven for.
	Dialect string
}

// withDefaults fills in what is empty and rejects words that it does not know.
func (o Options) withDefaults() (Options, error) {
	for _, choice := range []struct {
		name   string
		value  *string
		values []string // the first is the default
	}{
		{"unresolved", &o.Unresolved, []string{UnresolvedIPBlock, UnresolvedOmit, UnresolvedFail}},
		{"service ports", &o.ServicePorts, []string{ServicePortsTarget, ServicePortsBoth}},
		{"external ingress", &o.ExternalIngress, []string{ExternalCIDR, ExternalAny, ExternalNone}},
	} {
		if *choice.value == "" {
			*choice.value = choice.values[0]
		}
		if !slices.Contains(choice.values, *choice.value) {
			return o, fmt.Errorf("network policy option %s: %q is none of %s",
				choice.name, *choice.value, strings.Join(choice.values, ", "))
		}
	}
	if _, ok := DialectOf(o.Dialect); !ok {
		return o, fmt.Errorf("network policy dialect %q is not known", o.Dialect)
	}
	return o, nil
}

// isSystem says whether the platform owns a namespace.
func isSystem(namespace string) bool {
	return strings.HasPrefix(namespace, "kube-") || strings.HasPrefix(namespace, "openshift-")
}
