package seccomp

import (
	"slices"
	"strconv"
	"strings"
)

// intPlaces are calls whose arguments at some places, a digit each, are read as
// 32 bits.
type intPlaces struct{ places, calls string }

// intWide tells whether the kernel reads an argument of a call as 32 bits.
func intWide(name string, index int) bool {
	place := strconv.Itoa(index)
	for _, p := range ints() {
		if strings.Contains(p.places, place) && slices.Contains(strings.Fields(p.calls), name) {
			return true
		}
	}
	return false
}
