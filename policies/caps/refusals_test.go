package caps

import (
	"strings"
	"testing"

	"advisor/policies"
	"advisor/policies/manifest"
)

// TestVariablesAreUnknown holds that what a compose file leaves to its environment
// is not taken for a user that is not root.
func TestVariablesAreUnknown(t *testing.T) {
	for text, want := range map[string]string{
		`"${UID:-1000}:${GID}"`: "the image's", `"$USER"`: "the image's", `"1000"`: "not root", `nobody`: "not root", `"0:0"`: "root",
	} {
		objects, errs := manifest.Read("c.yaml", []byte("services:\n  web:\n    user: "+text+"\n    cap_add: [NET_RAW]\n"))
		declared, bad := Parse(objects[0])
		if len(errs)+len(bad) > 0 || len(declared) != 1 {
			t.Fatal(errs, bad)
		}
		set, err := Evaluate(declared[0], "")
		if err != nil || set.UserWord() != want {
			t.Errorf("user %s is %q, want %q (%v)", text, set.UserWord(), want, err)
		}
	}
}

// TestEscalationWithSysAdmin holds what the API server refuses of the two together:
// the name with its prefix only (ValidateSecurityContext).
func TestEscalationWithSysAdmin(t *testing.T) {
	for name, refused := range map[string]bool{"CAP_SYS_ADMIN": true, "SYS_ADMIN": false, "CAP_SYS_TIME": false} {
		objects, _ := manifest.Read("p.yaml", []byte(`apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - name: web
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL], add: [`+name+`]}}
`))
		declared, _ := Parse(objects[0])
		found := false
		for _, f := range Check(declared[0], policies.Observation{}, "cri-o") {
			found = found || f.Rule == RuleRefused && strings.Contains(f.Message, "the API server refuses both together")
		}
		if found != refused {
			t.Errorf("%s: refused %t, want %t", name, found, refused)
		}
	}
}
