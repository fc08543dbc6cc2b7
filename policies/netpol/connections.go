package netpol

import (
	"cmp"
	"slices"

	"advisor/policies/netpol/portset"
)

// Allowance is what a set of policies allows from one peer to another.
type Allowance struct {
	Source, Destination Peer
	Ports               portset.Set
}

// ConnectionsOptions are the choices of [Connections].
type ConnectionsOptions struct {
	Dialect Dialect
	// Exposure also lists what is allowed with pods that are not in the
	// inventory, as symbolic peers.
	Exposure bool
}

// Connections lists what the policies allow between all workloads and all
// addresses, sorted. Addresses of IPv6 are left out where neither policies nor
// pods have any: there they behave as those of IPv4 do.
func Connections(s Set, opt ConnectionsOptions) []Allowance {
	if opt.Dialect.Name == "" {
		opt.Dialect, _ = DialectOf("")
	}
	w := newWalker([]Set{s}, opt.Dialect)
	six := w.usesIPv6()
	found := w.pairs(func(c connection) bool { return c.ports[0] != noPorts })
	var list []Allowance
	for _, e := range w.expand(found) {
		symbolic := e.source.Symbolic != "" || e.destination.Symbolic != ""
		if symbolic && !opt.Exposure || !six && (isIPv6(e.source) || isIPv6(e.destination)) {
			continue
		}
		list = append(list, Allowance{e.source, e.destination, w.ports.set(e.ports[0])})
	}
	slices.SortFunc(list, func(a, b Allowance) int {
		return cmp.Or(a.Source.Compare(b.Source), a.Destination.Compare(b.Destination))
	})
	return list
}

func isIPv6(p Peer) bool { return p.IsAddress() && p.Range.From.Is6() }

func (w *walker) usesIPv6() bool {
	for i := range w.spaces {
		for _, ranges := range w.spaces[i].blocks {
			if len(ranges) > 0 && ranges[0].From.Is6() {
				return true
			}
		}
	}
	for i := range w.first {
		for _, s := range w.entities[i].sides {
			for _, ip := range s.pod.IPs {
				if ip.Is6() {
					return true
				}
			}
		}
	}
	return false
}
