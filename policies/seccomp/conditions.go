package seccomp

import (
	"fmt"
	"strings"

	"advisor/policies/seccomp/cbpf"
	"advisor/policies/seccomp/words"
)

// conditions puts the tests of a cube on arguments in words, "a0 & 0x7e020000
// == 0x0"; empty where there are none.
func conditions(c words.Cube) string {
	var parts []string
	for i := range 6 {
		parts = append(parts, argument(i, c)...)
	}
	return strings.Join(parts, " and ")
}

// argument gives the conditions on one argument. An upper half that must be 0
// is left out where the lower half is tested too: that is a plain small number.
func argument(i int, c words.Cube) []string {
	low := testsOf(c, cbpf.ArgLow(i), fmt.Sprintf("a%d", i))
	high := testsOf(c, cbpf.ArgHigh(i), fmt.Sprintf("a%d>>32", i))
	if len(low) > 0 && len(high) == 1 && high[0] == fmt.Sprintf("a%d>>32 == 0x0", i) {
		return low
	}
	return append(high, low...)
}

func testsOf(c words.Cube, word int, name string) []string {
	var list []string
	exact := ""
	for _, t := range c.Tests() {
		if t.Word != word {
			continue
		}
		text := name + strings.TrimPrefix(t.String(), fmt.Sprintf("w%d", word))
		if t.Op == words.Equal && t.Mask == full && !t.Not {
			exact = text
		}
		list = append(list, text)
	}
	if exact != "" {
		return []string{exact} // says all that the others do
	}
	return list
}
