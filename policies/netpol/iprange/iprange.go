// Package iprange is ranges of IP addresses: what a CIDR block with exceptions
// covers, how a set of blocks cuts an address family into cells that behave
// alike, and the shortest list of prefixes for a range.
package iprange

import (
	"cmp"
	"math/big"
	"net/netip"
	"slices"
)

// Range is the addresses From to To, both included and of one family.
type Range struct{ From, To netip.Addr }

// Everything4 and Everything6 are the two address families.
func Everything4() Range { return Of(netip.MustParsePrefix("0.0.0.0/0")) }

// Everything6 is all of IPv6.
func Everything6() Range { return Of(netip.MustParsePrefix("::/0")) }

// Of is what a prefix covers, whatever its host bits are.
func Of(p netip.Prefix) Range {
	p = p.Masked()
	return Range{p.Addr(), last(p)}
}

func last(p netip.Prefix) netip.Addr {
	bytes := p.Addr().AsSlice()
	for bit := p.Bits(); bit < len(bytes)*8; bit++ {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	addr, _ := netip.AddrFromSlice(bytes)
	return addr
}

// Contains says whether the address is in the range.
func (r Range) Contains(a netip.Addr) bool {
	return a.Is4() == r.From.Is4() && r.From.Compare(a) <= 0 && a.Compare(r.To) <= 0
}

// Compare orders ranges: IPv4 first, then numerically.
func (r Range) Compare(o Range) int {
	return cmp.Or(r.From.Compare(o.From), r.To.Compare(o.To))
}

// String is "10.0.0.0-10.0.255.255".
func (r Range) String() string { return r.From.String() + "-" + r.To.String() }

// Prefixes is the shortest list of prefixes that cover exactly the range.
func (r Range) Prefixes() []netip.Prefix {
	var prefixes []netip.Prefix
	for from := r.From; from.IsValid() && from.Compare(r.To) <= 0; {
		p := netip.PrefixFrom(from, from.BitLen())
		for p.Bits() > 0 {
			wider := netip.PrefixFrom(from, p.Bits()-1).Masked()
			if wider.Addr() != from || last(wider).Compare(r.To) > 0 {
				break
			}
			p = wider
		}
		prefixes = append(prefixes, p)
		from = last(p).Next()
	}
	return prefixes
}

// Merge joins ranges that overlap or touch, and sorts them.
func Merge(ranges []Range) []Range {
	ranges = slices.Clone(ranges)
	slices.SortFunc(ranges, Range.Compare)
	var merged []Range
	for _, r := range ranges {
		last := len(merged) - 1
		if last >= 0 && touches(merged[last], r) {
			if merged[last].To.Less(r.To) {
				merged[last].To = r.To
			}
			continue
		}
		merged = append(merged, r)
	}
	return merged
}

// touches is for a that does not start after b.
func touches(a, b Range) bool {
	if a.From.Is4() != b.From.Is4() {
		return false
	}
	next := a.To.Next()
	return !next.IsValid() || b.From.Compare(next) <= 0
}

// Minus is a without the addresses of the others, sorted.
func Minus(a Range, others []Range) []Range {
	var left []Range
	from := a.From
	for _, o := range Merge(others) {
		if o.From.Is4() != a.From.Is4() || !from.IsValid() || o.To.Less(from) || a.To.Less(o.From) {
			continue
		}
		if from.Less(o.From) {
			left = append(left, Range{from, o.From.Prev()})
		}
		from = o.To.Next()
	}
	if from.IsValid() && from.Compare(a.To) <= 0 {
		left = append(left, Range{from, a.To})
	}
	return left
}

// Cells cuts both address families at every boundary of ranges. No range ends
// inside a cell, and the cells cover everything, in order.
func Cells(ranges []Range) []Range {
	starts := []netip.Addr{Everything4().From, Everything6().From}
	for _, r := range ranges {
		starts = append(starts, r.From)
		if next := r.To.Next(); next.IsValid() {
			starts = append(starts, next)
		}
	}
	slices.SortFunc(starts, netip.Addr.Compare)
	starts = slices.Compact(starts)
	cells := make([]Range, len(starts))
	for i, start := range starts {
		cells[i] = Range{start, end(start)}
		if i+1 < len(starts) && starts[i+1].Is4() == start.Is4() {
			cells[i].To = starts[i+1].Prev()
		}
	}
	return cells
}

func end(a netip.Addr) netip.Addr {
	if a.Is4() {
		return Everything4().To
	}
	return Everything6().To
}

// Count is how many addresses the ranges hold, each counted once.
func Count(ranges []Range) *big.Int {
	total := new(big.Int)
	for _, r := range Merge(ranges) {
		from, to := new(big.Int).SetBytes(r.From.AsSlice()), new(big.Int).SetBytes(r.To.AsSlice())
		total.Add(total, to.Sub(to, from)).Add(total, big.NewInt(1))
	}
	return total
}

// Cover merges neighbours, the nearest first, until at most count prefixes are
// left. No merged prefix leaves the ranges within; where that stops the
// merging, more are left.
func Cover(prefixes []netip.Prefix, within []Range, count int) []netip.Prefix {
	list := slices.Clone(prefixes)
	slices.SortFunc(list, func(a, b netip.Prefix) int { return Of(a).Compare(Of(b)) })
	within = Merge(within)
	for bits := 0; bits <= 128 && len(list) > count; bits++ {
		list = mergeAt(list, within, bits)
	}
	return list
}

// mergeAt makes one of neighbours that share all but the last bits.
func mergeAt(list []netip.Prefix, within []Range, bits int) []netip.Prefix {
	var out []netip.Prefix
	for _, next := range list {
		last := len(out) - 1
		if last < 0 || bits > next.Addr().BitLen() {
			out = append(out, next)
			continue
		}
		joint := netip.PrefixFrom(next.Addr(), min(next.Bits(), next.Addr().BitLen()-bits)).Masked()
		inside := func(r Range) bool { return r.Contains(joint.Addr()) && r.Contains(Of(joint).To) }
		if joint.Contains(out[last].Addr()) && joint.Bits() <= out[last].Bits() && slices.ContainsFunc(within, inside) {
			out[last] = joint
			continue
		}
		out = append(out, next)
	}
	return out
}
