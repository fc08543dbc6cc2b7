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
// Beside any other upper half, the lower one is called what it is.
func argument(i int, c words.Cube) []string {
	low, high := c.Needed(cbpf.ArgLow(i)), c.Needed(cbpf.ArgHigh(i))
	name := fmt.Sprintf("a%d", i)
	upper, fixed := single(high)
	switch lower, exact := single(low); {
	case len(low) == 0:
		return testsOf(high, name+">>32", name+">>32")
	case len(high) == 0, fixed && upper == 0:
		return testsOf(low, name, name)
	case fixed && exact:
		return []string{fmt.Sprintf("%s == %#x", name, uint64(upper)<<32|uint64(lower))}
	}
	return append(testsOf(high, name+">>32", name+">>32"), testsOf(low, name+" & 0xffffffff", name)...)
}

// single is the one value that tests leave.
func single(tests []words.Test) (uint32, bool) {
	if len(tests) == 1 && tests[0].Op == words.Equal && tests[0].Mask == full && !tests[0].Not {
		return tests[0].Value, true
	}
	return 0, false
}

// testsOf names the tests of a word: whole is the word, bits what a mask is of.
func testsOf(tests []words.Test, whole, bits string) []string {
	var list []string
	for _, t := range tests {
		name := whole
		if t.Op == words.Equal && t.Mask != full {
			name = bits
		}
		list = append(list, name+strings.TrimPrefix(t.String(), fmt.Sprintf("w%d", t.Word)))
	}
	return list
}
