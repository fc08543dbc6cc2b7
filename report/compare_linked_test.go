//go:build libseccomp

package report

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"advisor/policies"
	"advisor/policies/caps"
	"advisor/policies/seccomp"
	"advisor/trace"
)

// TestBaseMustBeFirm: what libseccomp compiles otherwise is no ground to build on.
func TestBaseMustBeFirm(t *testing.T) {
	base, errs := seccomp.Parse("base.json", []byte(strings.Replace(joinedRules, "SCMP_CMP_FIRST", "SCMP_CMP_NE", 1)))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	o := policies.Observation{Syscalls: []policies.Syscall{{Arch: "x86_64", Nr: 1, Phase: trace.PhaseRun}}}
	format, err := FormatOf(KindSeccomp, "oci")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Seccomp(o, seccomp.Options{Base: &base, BaseText: []byte(joinedRules)}, format)
	if err == nil || !strings.Contains(err.Error(), "base profile: base.json:") {
		t.Errorf("got %v, want an error at the rule", err)
	}
}

// joinedRules has two rules that libseccomp compiles together.
const joinedRules = `{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [
 {"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]},
 {"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 2, "op": "SCMP_CMP_FIRST"},
  {"index": 1, "value": 0, "op": "SCMP_CMP_EQ"}]}]}`

// TestCompareTellsOfTheProgram has a change that the rules do not make and the
// program that libseccomp compiles does.
func TestCompareTellsOfTheProgram(t *testing.T) {
	load := func(op string) Manifests {
		file := filepath.Join(t.TempDir(), "p.json")
		if err := os.WriteFile(file, []byte(strings.Replace(joinedRules, "SCMP_CMP_FIRST", op, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		m, err := LoadManifests([]string{file}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	list, err := CompareManifests(load("SCMP_CMP_EQ"), load("SCMP_CMP_NE"), Comparison{Kinds: []string{KindSeccomp}})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		if d.Effect == Looser && strings.Contains(d.Change, "as libseccomp compiles it; by the rules ERRNO EPERM → ERRNO EPERM") {
			return
		}
	}
	t.Errorf("the program lets more pass than the rules, and nothing says so: %+v", list)
}

// TestPermitsCountsTheProgram: what only the compiled program newly lets pass is
// newly permitted.
func TestPermitsCountsTheProgram(t *testing.T) {
	load := func(op string) seccomp.Profile {
		p, errs := seccomp.Parse("p.json", []byte(strings.Replace(joinedRules, "SCMP_CMP_FIRST", op, 1)))
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		return p
	}
	c, err := CompareProfiles("old", "new", load("SCMP_CMP_EQ"), load("SCMP_CMP_NE"), seccomp.Context{})
	if err != nil || len(c.Doubts) == 0 || !c.Permits() {
		t.Errorf("%v %+v, want a call that the program newly lets pass", err, c.Doubts)
	}
	c.Changes = nil
	if !c.Permits() {
		t.Error("without the changes by the rules nothing is permitted")
	}
	if c, err = CompareProfiles("old", "old", load("SCMP_CMP_EQ"), load("SCMP_CMP_EQ"), seccomp.Context{}); err != nil || c.Permits() {
		t.Errorf("%v: a profile permits more than itself", err)
	}
}

// TestCompiledIsHeldAgainst: both diff and lint tell where the program differs.
func TestCompiledIsHeldAgainst(t *testing.T) {
	p, errs := seccomp.Parse("p.json", []byte(strings.Replace(joinedRules, "SCMP_CMP_FIRST", "SCMP_CMP_NE", 1)))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for name, found := range map[string][]policies.Finding{
		"diff": checkProfile(pairing{declared: &caps.Declared{}}, p, ""),
		"lint": LintProfile("p.json", p, seccomp.Context{}).Findings,
	} {
		if !slices.ContainsFunc(found, func(f policies.Finding) bool { return f.Rule == seccomp.RuleCompiled }) {
			t.Errorf("%s says nothing of the compiled program: %+v", name, found)
		}
	}
}
