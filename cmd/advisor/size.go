package main

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// byteSize is a size as people write it: 4096, 512K, 100M, 1G, in powers of
// 1024; "100MB" and "100MiB" are the same.
type byteSize uint64

// UnmarshalText reads a size.
func (b *byteSize) UnmarshalText(text []byte) error {
	const units = "KMGT"
	number := strings.TrimRight(string(text), "bBiI")
	shift := 0
	if n := len(number); n > 0 {
		if unit := strings.IndexByte(units, number[n-1]&^0x20); unit >= 0 {
			shift, number = 10*(unit+1), number[:n-1]
		}
	}
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil || n == 0 || bits.Len64(n)+shift > 63 {
		return fmt.Errorf("expected a size such as 100M, not %q", text)
	}
	*b = byteSize(n << shift)
	return nil
}
