package seccomp

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"advisor/policies"
	"advisor/trace"

	"github.com/google/go-cmp/cmp"
)

// lines are findings in short.
func lines(list []policies.Finding) []string {
	var out []string
	for _, f := range list {
		out = append(out, fmt.Sprintf("%s %s %s: %s", f.Class, f.Rule, f.Subject, f.Message))
	}
	return out
}

const declared = `{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
"syscalls": [
 {"names": ["execve", "openat", "read", "write", "close", "clone3", "clone", "mmap", "brk",
   "bind", "listen", "accept4", "accept", "epoll_wait", "kexec_load"], "action": "SCMP_ACT_ALLOW"},
 {"names": ["socket"], "action": "SCMP_ACT_ALLOW",
  "args": [{"index": 0, "value": 40, "op": "SCMP_CMP_NE"}]},
 {"names": ["personality"], "action": "SCMP_ACT_ALLOW",
  "args": [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]}
]}`

func TestCheck(t *testing.T) {
	o := web()
	o.Syscalls = append(o.Syscalls, observation(trace.ArchX8664, "fsync", "personality").Syscalls...)
	last := &o.Syscalls[len(o.Syscalls)-1]
	last.Args = [][]trace.Arg{{{Index: 0, Value: 0xffffffff}}}
	o.Denied = []policies.Denied{{Arch: trace.ArchX8664, Nr: 250, Syscall: "keyctl", Action: "EPERM"}}
	want := []string{
		"unknown seccomp/unknown-arguments socket: gets ERRNO EPERM when a0 == 0x28; seen by web, whether with such arguments was not recorded",
		"missing seccomp/missing-syscall fsync: seen by web, and gets ERRNO EPERM (default action)",
		"missing seccomp/missing-syscall personality: seen by web, and gets ERRNO EPERM when a0 == 0xffffffff (default action)",
		"missing seccomp/missing-syscall keyctl: seen, and refused with EPERM by a filter while recording; gets ERRNO EPERM (default action)",
		"excess seccomp/excess-syscall kexec_load: allowed, never made",
		"excess seccomp/excess-architecture SCMP_ARCH_X86: calls of i386 programs are allowed, and none was seen",
	}
	got := lines(Check(parse(t, declared), Context{}, o))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestCheckFindsNothing: what is synthesized from an observation fits it.
func TestCheckFindsNothing(t *testing.T) {
	s := synthesize(t, web(), Options{})
	if got := lines(Check(s.Profile, Context{Runtime: Runc}, web())); len(got) > 0 {
		t.Errorf("got %v", got)
	}
}

func TestLint(t *testing.T) {
	for text, want := range map[string][]string{
		`{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X32","SCMP_ARCH_X86"],
		  "syscalls":[{"names":[],"action":"SCMP_ACT_ALLOW"},{"names":["raed"],"action":"SCMP_ACT_ALLOW"},
		  {"names":["read"],"action":"SCMP_ACT_LOG","errnoRet":1}]}`: {
			"invalid seccomp/invalid syscalls[0]: an entry without names does nothing, and is none by the runtime specification",
			"unknown seccomp/unknown-syscall raed: not a call of x86 or ARM up to Linux " + trace.TablesKernel + "; runtimes leave out names they do not know",
			"invalid seccomp/invalid syscalls[2]: SCMP_ACT_LOG takes no errno; crun refuses it, and runc passes over it",
		},
		`{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_Z80"],"flags":["X"],"syscalls":[]}`: {
			"unknown seccomp/missing-architecture SCMP_ARCH_X32: calls of x32 programs get KILL_THREAD instead of ERRNO EPERM",
			"unknown seccomp/missing-architecture SCMP_ARCH_X86: calls of i386 programs get KILL_THREAD instead of ERRNO EPERM",
			`invalid seccomp/invalid SCMP_ARCH_Z80: "SCMP_ARCH_Z80" is not an architecture; runtimes refuse it`,
			`invalid seccomp/invalid X: "X" is not a flag; runtimes refuse it`,
		},
		`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
		  {"names":["setns"],"action":"SCMP_ACT_LOG"},
		  {"names":["setns"],"action":"SCMP_ACT_ERRNO","errnoRet":1},
		  {"names":["socket"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":40,"op":"SCMP_CMP_EQ"}]}]}`: {
			"invalid seccomp/shadowed-rule setns: ERRNO EPERM never takes effect: another rule for setns decides (LOG) at p.json:2:15",
			"excess seccomp/width-bypass socket: refused with argument 0 = 0x28, allowed with 0x100000028, which the kernel takes for the same",
		},
		`{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"],"syscalls":[
		  {"names":["socketcall"],"action":"SCMP_ACT_ALLOW"},
		  {"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2,"op":"SCMP_CMP_EQ"}]},
		  {"names":["bind"],"action":"SCMP_ACT_ALLOW","args":[{"index":2,"value":9,"op":"SCMP_CMP_EQ"}]},
		  {"names":["bind"],"action":"SCMP_ACT_LOG","args":[{"index":1,"value":9,"op":"SCMP_CMP_EQ"}]}]}`: {
			"excess seccomp/multiplexer-bypass i386/socketcall: allowed whole: conditions on bind, socket do not hold for 32-bit programs",
			"unknown seccomp/contested bind: rules with different outcomes hold when a1 == 0x9 and a2 == 0x9; libseccomp documents no order between them, ALLOW is expected",
		},
	} {
		got := lines(Lint(parse(t, text), Context{}))
		got = dedupe(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", text, diff)
		}
	}
}

// TestFindingsStandAtTheirOwnKey: not at the default action, for want of better.
func TestFindingsStandAtTheirOwnKey(t *testing.T) {
	p := parse(t, `{
 "defaultAction": "SCMP_ACT_ALLOW",
 "defaultErrnoRet": 38,
 "architectures": ["SCMP_ARCH_X86_64",
   "SCMP_ARCH_Z80"],
 "flags": ["SECCOMP_FILTER_FLAG_LOG", "X"],
 "listenerMetadata": "y",
 "syscalls": []
}`)
	got := map[string]string{}
	for _, f := range Lint(p, Context{}) {
		got[f.Subject] = f.Position.String()
	}
	want := map[string]string{
		"defaultAction": "p.json:3:21", "SCMP_ARCH_Z80": "p.json:5:4", "X": "p.json:6:39",
		"listenerMetadata": "p.json:7:22",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	closed := parse(t, "{\"defaultAction\": \"SCMP_ACT_ERRNO\",\n \"architectures\": [\"SCMP_ARCH_X86\"], \"syscalls\": []}")
	for _, f := range append(Lint(closed, Context{}), Check(closed, Context{}, web())...) {
		if f.Rule == RuleMissingArch && f.Position.String() != "p.json:2:19" ||
			f.Rule == RuleExcessArch && f.Position.String() != "p.json:2:20" {
			t.Errorf("%s stands at %s", f.Rule, f.Position)
		}
	}
}

// dedupe leaves out the same of other architectures.
func dedupe(list []string) []string {
	var out []string
	for _, s := range list {
		if !containsAny(s, " i386/bind", " x32/bind") {
			out = append(out, s)
		}
	}
	return out
}

func TestMerge(t *testing.T) {
	m, err := Merge(Context{}, parse(t, before), parse(t, declared))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]Action{"keyctl": Allow, "kexec_load": Allow, "ptrace": Errno} {
		nr, _ := trace.SyscallNumber(trace.ArchX8664, name)
		if v := Evaluate(m, Context{}, Point{Arch: trace.ArchX8664, Nr: nr}); v.Action != want {
			t.Errorf("%s: %v", name, v.Outcome)
		}
	}
}

// TestMergeProperties: a merge makes every call that any input makes, be the
// inputs in whatever order.
func TestMergeProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	merged := 0
	for range 40 {
		k := kind{ops: ops[:], args: 2}
		a, b := randomProfile(rng, k), randomProfile(rng, k)
		m, err := Merge(Context{}, a, b)
		if err != nil {
			continue
		}
		merged++
		back, err := Merge(Context{}, b, a)
		if err != nil {
			t.Fatalf("only one order merges: %v", err)
		}
		if list, err := Compare(m, back, Context{}); err != nil || len(list) > 0 {
			t.Fatalf("the order matters: %v %v", err, list)
		}
		for range 200 {
			pt := randomPoint(rng)
			either := Evaluate(a, Context{}, pt).Action.Admits() || Evaluate(b, Context{}, pt).Action.Admits()
			if either && !Evaluate(m, Context{}, pt).Action.Admits() {
				t.Fatalf("%v is refused\n%s\n%s\n%s", pt, written(a), written(b), written(m))
			}
		}
	}
	if merged < 30 {
		t.Errorf("only %d of 40 merged", merged)
	}
}
