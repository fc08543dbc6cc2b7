package proof

import (
	"fmt"
	"strings"

	"advisor/policies/seccomp/cbpf"
	"advisor/policies/seccomp/words"
)

// when is what a set of calls has in common, as the end of a sentence; "" where
// arguments do not matter.
func when(cube *words.Cube) string {
	var list []string
	for _, t := range cube.Tests() {
		for i := range 6 {
			name := fmt.Sprintf("w%d", t.Word)
			switch t.Word {
			case cbpf.ArgLow(i):
				list = append(list, strings.Replace(t.String(), name, fmt.Sprintf("a%d", i), 1))
			case cbpf.ArgHigh(i):
				list = append(list, strings.Replace(t.String(), name, fmt.Sprintf("a%d>>32", i), 1))
			}
		}
	}
	if len(list) == 0 {
		return ""
	}
	return " when " + strings.Join(list, " and ")
}
