//go:build libseccomp

package seccomp

import (
	"fmt"
	"strings"
	"testing"

	"advisor/policies/seccomp/libseccomp"

	"github.com/google/go-cmp/cmp"
)

// TestUnheardCause: a rule for accept without conditions, which i386 only has by
// socketcall, takes that of send with it in the compiled program. The difference is
// a finding and has its cause; alone, neither differs.
func TestUnheardCause(t *testing.T) {
	const accept = `{"names":["accept"],"action":"SCMP_ACT_ALLOW"}`
	const send = `{"names":["send"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":3,"op":"SCMP_CMP_EQ"}]}`
	for rules, want := range map[string][]Cause{accept: nil, send: nil, accept + "," + send: {Unheard}} {
		p := parse(t, `{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],"syscalls":[`+rules+`]}`)
		found, err := Disagreements(p, Context{})
		if err != nil {
			t.Fatal(err)
		}
		var got []Cause
		for _, d := range found {
			got = append(got, d.Cause)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", rules, diff)
		}
		if n := len(CheckCompiled(p, Context{})); n != len(want) {
			t.Errorf("%s: %d findings", rules, n)
		}
	}
}

// TestCheckCompiled has profiles of which the compiled program differs, or was
// not asked for: one finding for each call and difference, at the rule, short.
func TestCheckCompiled(t *testing.T) {
	differs := "invalid seccomp/compiled-differs x86_64/%s: the rules say %s, the program that libseccomp " +
		libseccomp.Version() + " compiles says %s when %s; test arguments that several rules are about by EQ or MASKED_EQ"
	for _, tt := range []struct{ name, first, second, want string }{
		{"same", `{"index":0,"value":1,"op":"SCMP_CMP_EQ"}`, `{"index":0,"value":2,"op":"SCMP_CMP_EQ"},{"index":1,"op":"SCMP_CMP_EQ"}`, ""},
		{"differs", `{"index":0,"value":1,"op":"SCMP_CMP_EQ"}`, `{"index":0,"value":2,"op":"SCMP_CMP_NE"},{"index":1,"op":"SCMP_CMP_EQ"}`,
			fmt.Sprintf(differs, "read", "ALLOW", "ERRNO EPERM", "a0 == 0x1 and a1 != 0x0 and a1 != 0x1, and in one other case") + "\n" +
				fmt.Sprintf(differs, "read", "ERRNO EPERM", "ALLOW", "a0 != 0x2 and a0 != 0x1 and a1 == 0x1, and in one other case")},
		{"wide", `{"index":0,"value":4294967296,"op":"SCMP_CMP_LE"}`, `{"index":0,"value":3,"op":"SCMP_CMP_LE"}`,
			fmt.Sprintf(differs, "read", "ALLOW", "ERRNO EPERM", "a0 > 0x3")},
		{"not asked", `{"index":0,"value":3,"op":"SCMP_CMP_LE"},{"index":1,"op":"SCMP_CMP_EQ"}`,
			`{"index":0,"value":3,"op":"SCMP_CMP_LE"},{"index":1,"value":5,"op":"SCMP_CMP_LT"}`,
			"unknown seccomp/not-compiled read: libseccomp may not return from compiling rules that make the same test of " +
				"argument 0 before others, and was not asked: a container with them may never start; test it by EQ or MASKED_EQ"},
	} {
		p := parse(t, `{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64"],"syscalls":[
 {"names":["read"],"action":"SCMP_ACT_ALLOW","args":[`+tt.first+`]},
 {"names":["read"],"action":"SCMP_ACT_ALLOW","args":[`+tt.second+`]}]}`)
		found := CheckCompiled(p, Context{})
		if diff := cmp.Diff(tt.want, strings.Join(lines(found), "\n")); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.name, diff)
		}
		for _, f := range found {
			if f.Position.Line < 1 || f.Position.File != "p.json" {
				t.Errorf("%s: at %v", tt.name, f.Position)
			}
		}
	}
}
