package seccomp

import (
	"strings"
	"testing"
)

// TestRefusals: what fixtures/enforce saw runc 1.1.5 and crun 1.8.1 refuse, for
// those who run no containers.
func TestRefusals(t *testing.T) {
	runc, crun := Context{Runtime: Runc, RuntimeVersion: "1.1.5"}, Context{Runtime: Crun, RuntimeVersion: "1.8.1"}
	for _, tt := range []struct {
		text             string
		none, runc, crun string // part of the error; empty: the profile is taken
	}{
		{`{"defaultAction":"SCMP_ACT_ALLOW"}`, "", "", ""},
		{`{"defaultAction":"SCMP_ACT_WHAT"}`, "not an action", "not an action", "not an action"},
		{`{"defaultAction":"SCMP_ACT_NOTIFY","listenerPath":"/x"}`, "default action SCMP_ACT_NOTIFY", "default action", "default action"},
		{`{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":4095}`, "default errno 4095", "4094 at most", "4094 at most"},
		{`{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":4094}`, "", "", ""},
		{`{"defaultAction":"SCMP_ACT_ALLOW","defaultErrnoRet":1}`, "", "", "takes no errno"},
		{`{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_Z80"]}`, `"SCMP_ARCH_Z80"`, "Z80", "Z80"},
		{`{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_S390X"]}`, "S390X", "S390X", "S390X"},
		{`{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_PPC64LE"]}`, "", "", ""},
		{`{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_LOG"]}`, "", "takes none", ""},
		{`{"defaultAction":"SCMP_ACT_ALLOW","flags":["X"]}`, `flag "X"`, "takes none", `flag "X"`},
		{`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_ERRNO","errnoRet":4095}]}`,
			"rule 0, read: errno 4095", "rule 0, read", "rule 0, read"},
		{`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_LOG","errnoRet":1}]}`,
			"", "", "rule 0, read: SCMP_ACT_LOG takes no errno"},
		{`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read",""],"action":"SCMP_ACT_LOG"}]}`, "", "an empty name", ""},
		{`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_NOTIFY"}]}`, "", "without listenerPath", ""},
		{`{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/x","syscalls":[{"names":["read"],"action":"SCMP_ACT_NOTIFY"}]}`, "", "", ""},
		{`{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/x","syscalls":[{"names":["read","write"],"action":"SCMP_ACT_NOTIFY"}]}`,
			"", "rule 0, write", ""},
		{`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_LOG","args":[{"index":6,"op":"SCMP_CMP_EQ"}]}]}`,
			"no such comparison of argument 6", "argument 6", "argument 6"},
	} {
		p := parse(t, tt.text)
		for _, by := range []struct {
			ctx  Context
			want string
		}{{Context{}, tt.none}, {runc, tt.runc}, {crun, tt.crun}} {
			v := Evaluate(p, by.ctx, Point{Arch: "x86_64", Nr: 12})
			switch {
			case by.want == "" && v.Err != nil:
				t.Errorf("%v: %s: %v", by.ctx, tt.text, v.Err)
			case by.want != "" && (v.Err == nil || v.Why != ByRefusal || !strings.Contains(v.Err.Error(), by.want)):
				t.Errorf("%v: %s: %v, want %q", by.ctx, tt.text, v.Err, by.want)
			}
		}
	}
}
