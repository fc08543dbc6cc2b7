package seccomp

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, text string) Profile {
	t.Helper()
	p, errs := Parse("p.json", []byte(text))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return p
}

const before = `{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
"syscalls": [
 {"names": ["read", "keyctl"], "action": "SCMP_ACT_ALLOW"},
 {"names": ["clone"], "action": "SCMP_ACT_ALLOW",
  "args": [{"index": 0, "value": 2114060288, "op": "SCMP_CMP_MASKED_EQ"}]},
 {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}
]}`

const after = `{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
"syscalls": [
 {"names": ["read", "clone", "write"], "action": "SCMP_ACT_ALLOW"},
 {"names": ["ptrace"], "action": "SCMP_ACT_KILL_PROCESS"}
]}`

func TestCompare(t *testing.T) {
	list, err := Compare(parse(t, before), parse(t, after), Context{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range list {
		got = append(got, c.String()+" "+c.Old.String()+" "+c.New.String())
	}
	want := []string{
		"permitted x86_64/clone: ERRNO EPERM → ALLOW when a0 & 0x7e020000 != 0x0 p.json:1:19 p.json:3:21",
		"permitted x86_64/write: ERRNO EPERM → ALLOW p.json:1:19 p.json:3:30",
		"refused x86_64/keyctl: ALLOW → ERRNO EPERM p.json:3:21 p.json:1:19",
		"action x86_64/ptrace: ERRNO EPERM → KILL_PROCESS p.json:1:19 p.json:4:13",
		"errno x86_64/clone3: ERRNO ENOSYS → ERRNO EPERM p.json:6:13 p.json:1:19",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestCompareProperties holds what any comparison owes, over random profiles.
func TestCompareProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	for range 30 {
		k := kind{ops: ops[:], args: 2, mixed: true}
		a, b := randomProfile(rng, k), randomProfile(rng, k)
		forth, err := Compare(a, b, Context{})
		if err != nil {
			continue // a runtime refuses one of them
		}
		back, _ := Compare(b, a, Context{})
		if len(forth) != len(back) {
			t.Fatalf("%d changes one way, %d the other\n%s\n%s", len(forth), len(back), written(a), written(b))
		}
		for _, c := range forth {
			at := slices.IndexFunc(back, func(o Change) bool {
				return o.Arch == c.Arch && o.Nr == c.Nr && o.Before == c.After && o.After == c.Before
			})
			if at < 0 {
				t.Fatalf("%v has no mirror", c)
			}
			checkWitness(t, a, b, c)
		}
		if same, _ := Compare(a, a, Context{}); len(same) > 0 {
			t.Fatalf("differs from itself: %v", same)
		}
	}
}

// checkWitness asks the plain evaluator, which knows no sets of calls.
func checkWitness(t *testing.T, a, b Profile, c Change) {
	t.Helper()
	was, is := Evaluate(a, Context{}, c.Witness), Evaluate(b, Context{}, c.Witness)
	if was.Outcome != c.Before || is.Outcome != c.After {
		t.Fatalf("%v at %v: %v → %v", c, c.Witness, was.Outcome, is.Outcome)
	}
}

// TestCompareMissesNothing asks about random calls one by one.
func TestCompareMissesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 9))
	for range 20 {
		k := kind{ops: ops[:], args: 3}
		a, b := randomProfile(rng, k), randomProfile(rng, k)
		list, err := Compare(a, b, Context{})
		if err != nil {
			t.Fatal(err)
		}
		for range 300 {
			pt := randomPoint(rng)
			was, is := Evaluate(a, Context{}, pt), Evaluate(b, Context{}, pt)
			found := slices.ContainsFunc(list, func(c Change) bool {
				return c.Arch == pt.Arch && c.Nr == pt.Nr &&
					c.Before == was.Outcome && c.After == is.Outcome
			})
			if found != (was.Outcome != is.Outcome) && was.Outcome != is.Outcome {
				t.Fatalf("%v: %v → %v is not among the changes\n%s\n%s",
					pt, was.Outcome, is.Outcome, written(a), written(b))
			}
		}
	}
}
