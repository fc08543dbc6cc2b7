package policies

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// sort puts every list of facts in order: by what they are, names before
// phases, so that the same call under two phases stands together.
func (o *Observation) sort() {
	slices.SortFunc(o.Syscalls, compareSyscalls)
	slices.SortFunc(o.Capabilities, compareCapabilities)
	slices.SortFunc(o.Connects, compareConnects)
	slices.SortFunc(o.Accepts, func(a, b Accept) int {
		return cmp.Or(strings.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Port, b.Port),
			compareAddresses(a.Remote, b.Remote))
	})
	slices.SortFunc(o.Listens, func(a, b Listen) int {
		return cmp.Or(strings.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Port, b.Port),
			compareAddresses(a.Address, b.Address))
	})
	slices.SortFunc(o.Execs, compareExecs)
	slices.SortFunc(o.Files, compareFiles)
	slices.SortFunc(o.Denied, func(a, b Denied) int {
		return cmp.Or(strings.Compare(a.Arch, b.Arch), cmp.Compare(a.Nr, b.Nr),
			strings.Compare(a.Syscall, b.Syscall), strings.Compare(a.Action, b.Action))
	})
}

func compareSyscalls(a, b Syscall) int {
	return cmp.Or(
		strings.Compare(a.Arch, b.Arch),
		cmp.Compare(a.Nr, b.Nr),
		strings.Compare(a.Name, b.Name),
		-strings.Compare(string(a.Phase), string(b.Phase)), // start before run
		compareBools(a.Filtered, b.Filtered),
	)
}

func compareCapabilities(a, b Capability) int {
	return cmp.Or(
		strings.Compare(a.Name, b.Name),
		-strings.Compare(string(a.Phase), string(b.Phase)),
		-compareBools(a.Allowed, b.Allowed),
		strings.Compare(a.Syscall, b.Syscall),
		strings.Compare(a.Outcome, b.Outcome),
		strings.Compare(string(a.UserNS), string(b.UserNS)),
		compareBools(a.Overridden, b.Overridden),
		strings.Compare(a.Site, b.Site),
		strings.Compare(string(a.Audit), string(b.Audit)),
		compareBools(a.Sampled, b.Sampled),
	)
}

func compareConnects(a, b Connect) int {
	return cmp.Or(
		strings.Compare(a.Protocol, b.Protocol),
		compareAddresses(a.Remote, b.Remote),
		cmp.Compare(a.Port, b.Port),
		compareAddresses(a.Requested, b.Requested),
		cmp.Compare(a.RequestedPort, b.RequestedPort),
		compareAddresses(a.Translated, b.Translated),
		cmp.Compare(a.TranslatedPort, b.TranslatedPort),
		strings.Compare(a.Result, b.Result),
	)
}

// compareAddresses orders IP addresses by number, so that 10.0.0.2 stands
// before 10.0.0.10, and what is none by its text, first.
func compareAddresses(a, b string) int {
	x, _ := netip.ParseAddr(a)
	y, _ := netip.ParseAddr(b)
	return cmp.Or(x.Compare(y), strings.Compare(a, b))
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
