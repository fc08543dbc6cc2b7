package netpol

import (
	"fmt"
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Aggregation bounds how external addresses may be merged into prefixes. Its
// zero value merges nothing that was not observed as a whole.
type Aggregation struct {
	Bits  int // how much shorter than one address a prefix may get: 8 is an IPv4 /24
	Added int // how many addresses that were not observed a prefix may hold
}

// unbounded is as many addresses as the prefix has.
const unbounded = 1<<31 - 1

// ParseAggregation reads "BITS" or "BITS,ADDED", such as "8,200".
func ParseAggregation(text string) (Aggregation, error) {
	bits, added, two := strings.Cut(text, ",")
	a := Aggregation{Added: unbounded}
	var err error
	if a.Bits, err = strconv.Atoi(bits); err == nil && two {
		a.Added, err = strconv.Atoi(added)
	}
	if err != nil || a.Bits < 0 || a.Bits > 32 || a.Added < 0 {
		return Aggregation{}, fmt.Errorf(
			"CIDR aggregation %q: expected BITS or BITS,ADDED, such as 8,200", text)
	}
	return a, nil
}

// String is what [ParseAggregation] reads.
func (a Aggregation) String() string {
	if a.Added == unbounded {
		return strconv.Itoa(a.Bits)
	}
	return fmt.Sprintf("%d,%d", a.Bits, a.Added)
}

// UnmarshalText is [ParseAggregation], for flags; nothing stays nothing.
func (a *Aggregation) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	var err error
	*a, err = ParseAggregation(string(text))
	return err
}

// aggregated is one prefix with the number of its addresses that were observed.
type aggregated struct {
	prefix   netip.Prefix
	observed int
}

// added is how many addresses of the prefix were not observed, as a decimal.
func (a aggregated) added() *big.Int {
	size := new(big.Int).Lsh(big.NewInt(1), uint(a.prefix.Addr().BitLen()-a.prefix.Bits()))
	return size.Sub(size, big.NewInt(int64(a.observed)))
}

// aggregate merges addresses, bottom up, into the smallest covering prefixes
// that keep within the bounds. The order of the addresses does not matter.
func (a Aggregation) aggregate(addrs []netip.Addr) []aggregated {
	addrs = sortedAddrs(slices.Clone(addrs))
	list := make([]aggregated, len(addrs))
	for i, ip := range addrs {
		list[i] = aggregated{netip.PrefixFrom(ip, ip.BitLen()), 1}
	}
	for bits := 1; bits <= a.Bits; bits++ {
		list = a.widen(list, bits)
	}
	return list
}

// widen merges neighbours that share a prefix of the given number of host bits.
func (a Aggregation) widen(list []aggregated, bits int) []aggregated {
	var wider []aggregated
	for _, next := range list {
		last := len(wider) - 1
		if last >= 0 && wider[last].prefix.Addr().Is4() == next.prefix.Addr().Is4() {
			ip := next.prefix.Addr()
			joint := aggregated{netip.PrefixFrom(ip, ip.BitLen()-bits).Masked(),
				wider[last].observed + next.observed}
			if joint.prefix.Contains(wider[last].prefix.Addr()) &&
				joint.added().Cmp(big.NewInt(int64(a.Added))) <= 0 {
				wider[last] = joint
				continue
			}
		}
		wider = append(wider, next)
	}
	return wider
}
