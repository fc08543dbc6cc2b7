package seccomp

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const dockerProfile = `{
	"defaultAction": "SCMP_ACT_ERRNO",
	"archMap": [
		{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}
	],
	"syscalls": [
		{"names": ["read", "write"], "action": "SCMP_ACT_ALLOW", "args": null, "includes": {}},
		{
			"names": ["clone"],
			"action": "SCMP_ACT_ALLOW",
			"args": [{"index": 0, "value": 2114060288, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}],
			"excludes": {"caps": ["CAP_SYS_ADMIN"]}
		}
	]
}
`

func TestParseDocker(t *testing.T) {
	p, errs := Parse("d.json", []byte(dockerProfile))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	want := Profile{
		Default: Errno,
		ArchMap: []ArchMap{{X8664, []Arch{X86}}},
		Rules: []Rule{
			{Names: []string{"read", "write"}, Action: Allow},
			{
				Names: []string{"clone"}, Action: Allow,
				Args:     []Arg{{0, 0x7e020000, 0, MaskedEqual}},
				Excludes: Filter{Caps: []string{"CAP_SYS_ADMIN"}},
			},
		},
	}
	if diff := cmp.Diff(want, p, sameProfile); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if p.Format != Docker {
		t.Errorf("format %s", p.Format)
	}
	if at := p.Place(0, "write").String(); at != "d.json:7:22" {
		t.Errorf("write stands at %s", at)
	}
}

func TestParseErrorsHavePlaces(t *testing.T) {
	for text, want := range map[string]string{
		``:                        "p: empty",
		`{`:                       "p:1:2: not JSON",
		`{"defaultAction":"x"} 1`: "p:1:24: not JSON: text after",
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\n \"sycalls\":[]}": `p:2:2: seccomp profile: unknown key "sycalls"`,
		"{\"defaultAction\":\"A\",\"syscalls\":[{\"names\":[1]}]}": "p:1:44: name: expected a string",
		`{"defaultAction":"A","defaultAction":"B"}`:                `p:1:22: seccomp profile: key "defaultAction" is repeated`,
		`{"syscalls":[]}`: "p:1:1: seccomp profile: no defaultAction",
		`{"defaultAction":"A","syscalls":[{"args":[{"value":-1}]}]}`:           "p:1:52: value: expected a whole number",
		`{"defaultAction":"A","syscalls":[{"name":"read","names":["write"]}]}`: "p:1:34: both name and names; engines refuse that",
		`{"defaultAction":"A","defaultErrno":"EWHAT"}`:                         `p:1:37: defaultErrno: "EWHAT" is not an errno`,
		"kind: Pod\napiVersion: v1\n":                                          "p: no seccomp profile",
	} {
		_, errs := Parse("p", []byte(text))
		if len(errs) == 0 || !strings.HasPrefix(errs[0].Error(), want) {
			t.Errorf("%s\n got %v\nwant %s", text, errs, want)
		}
	}
}

const spoProfile = `apiVersion: security-profiles-operator.x-k8s.io/v1beta1
kind: SeccompProfile
metadata:
  name: web
  namespace: shop
  labels: {app: web}
spec:
  defaultAction: SCMP_ACT_ERRNO
  architectures: [SCMP_ARCH_NATIVE]
  syscalls:
  - names: [read, write]
    action: SCMP_ACT_ALLOW
  - names:
    - personality
    action: SCMP_ACT_ALLOW
    args:
    - {index: 0, value: 8, op: SCMP_CMP_EQ}
`

func TestParseSPO(t *testing.T) {
	p, errs := Parse("s.yaml", []byte(spoProfile))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if p.Format != SPOBeta || p.Name != "web" || p.Namespace != "shop" {
		t.Errorf("got %s %s/%s", p.Format, p.Namespace, p.Name)
	}
	if at := p.Place(1, "personality").String(); at != "s.yaml:14:7" {
		t.Errorf("personality stands at %s", at)
	}
	text, err := p.Render(SPOBeta)
	if err != nil {
		t.Fatal(err)
	}
	back, errs := Parse("s.yaml", text)
	if diff := cmp.Diff(p, back, sameProfile); diff != "" || len(errs) > 0 {
		t.Errorf("%v (-want +got)\n%s", errs, diff)
	}
}

func TestSPOCannotSayEverything(t *testing.T) {
	s := synthesize(t, web(), Options{})
	s.Profile.Name = "web"
	if _, err := s.Profile.Render(SPO); err == nil || !strings.Contains(err.Error(), "defaultErrnoRet") {
		t.Fatalf("got %v, want an error about defaultErrnoRet", err)
	}
	p := WithoutDefaultErrno(s.Profile)
	if _, err := p.Render(SPO); err != nil {
		t.Fatal(err)
	}
	s.Profile = p
	if proof := prove(t, s, web(), Options{SpellOut: true}); !proof.OK() {
		t.Errorf("not proven: %v", proof.Failed)
	}
}

// FuzzParse checks that no text panics, and that what is read is written and
// read again the same.
func FuzzParse(f *testing.F) {
	f.Add([]byte(dockerProfile))
	f.Add([]byte(spoProfile))
	f.Add([]byte(`{"ociVersion":"1","linux":{"seccomp":{"defaultAction":"SCMP_ACT_KILL"}}}`))
	f.Add([]byte(`{"defaultAction":"A","defaultErrno":"ENOSYS","flags":[],"syscalls":[{"errno":"EPERM"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, errs := Parse("f", data)
		Evaluate(p, Context{}, Point{Arch: "x86_64"})
		if len(errs) > 0 {
			return
		}
		text, err := p.Render(p.Format)
		if err != nil {
			return
		}
		back, errs := Parse("f", text)
		if diff := cmp.Diff(p, back, sameProfile); diff != "" || len(errs) > 0 {
			t.Errorf("%v (-want +got)\n%s\n%s", errs, diff, text)
		}
	})
}
