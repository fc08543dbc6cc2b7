package seccomp

import (
	"strings"
	"testing"
)

// TestParseForms has texts that editors and people make of a profile and that no
// runtime takes: what is wrong is told where it is.
func TestParseForms(t *testing.T) {
	const good = `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": []}`
	for text, want := range map[string]string{
		good:                       "",
		"\ufeff" + good:            "p.json:1:1: a byte order mark",
		"// ours\n" + good:         "p.json:1:1: JSON has no comments",
		"/* ours */\n" + good:      "p.json:1:1: JSON has no comments",
		good + "\n{}":              "p.json:2:2: not JSON: text after the profile",
		strings.ToUpper(good):      `p.json:1:2: seccomp profile: unknown key "DEFAULTACTION"`,
		"\t" + good + "\r\n":       "",
		`{"defaultAction": null}`:  "p.json:1:1: seccomp profile: no defaultAction",
		" \n":                      "p.json: empty: no seccomp profile",
		`{"defaultAction": "x", 1`: "p.json:1:24: not JSON",
	} {
		_, errs := Parse("p.json", []byte(text))
		got := ""
		if len(errs) > 0 {
			got = errs[0].Error()
		}
		if want == "" && got != "" || !strings.HasPrefix(got, want) {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
