package advisor_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

// TestArrows holds the directions of imports that CONTRIBUTING.md draws.
func TestArrows(t *testing.T) {
	tests := []struct {
		from, never, because string
	}{
		{"./trace/...", "advisor/", "the trace format depends on nothing of ours"},
		{"./bpf/...", "advisor/", "the kernel side decides nothing"},
		{"./monitor/...", "advisor/policies", "the recorder knows no policy"},
		{"./monitor/...", "advisor/report", "the recorder makes no report"},
		{"./report/...", "advisor/monitor", "reports are made offline"},
		{"./report/...", "advisor/verify", "reports are made offline"},
		{"./verify/...", "advisor/policies", "an experiment knows no policy, only a list"},
		{"./verify/...", "advisor/report", "an experiment makes no report"},
		{"./report/...", "advisor/bpf", "reports are made offline"},
		{"./report/...", "github.com/cilium/ebpf", "reports are made offline"},
		{"./policies/...", "advisor/report", "policies do not know how they are shown"},
		{"./policies/...", "advisor/monitor", "policies are functions of what was observed"},
		{"./policies/...", "advisor/bpf", "policies are functions of what was observed"},
		{"./policies/...", "github.com/cilium/ebpf", "policies are functions of what was observed"},
		{"./policies/seccomp/...", "advisor/policies/netpol", "the kinds of policy stand side by side"},
		{"./policies/seccomp/...", "advisor/policies/caps", "the kinds of policy stand side by side"},
		{"./policies/netpol/...", "advisor/policies/seccomp", "the kinds of policy stand side by side"},
		{"./policies/netpol/...", "advisor/policies/caps", "the kinds of policy stand side by side"},
		{"./policies/caps/...", "advisor/policies/seccomp", "the kinds of policy stand side by side"},
		{"./policies/caps/...", "advisor/policies/netpol", "the kinds of policy stand side by side"},
		{"./monitor/...", "github.com/alecthomas/kong", "only the command line parses flags"},
		{"./report/...", "github.com/alecthomas/kong", "only the command line parses flags"},
		{"./policies/...", "github.com/alecthomas/kong", "only the command line parses flags"},
		{"./...", "github.com/google/go-cmp", "go-cmp is for tests"},
	}
	for _, tt := range tests {
		for _, dep := range foreignDeps(t, tt.from) {
			if dep == tt.never || strings.HasPrefix(dep, strings.TrimSuffix(tt.never, "/")+"/") {
				t.Errorf("%s imports %s: %s", tt.from, dep, tt.because)
			}
		}
	}
}

// TestProofIsAnothers holds that what proves seccomp profiles knows nothing of
// what makes them.
func TestProofIsAnothers(t *testing.T) {
	if contains(golist(t, "-deps", "./policies/seccomp/proof"), "advisor/policies/seccomp") {
		t.Error("policies/seccomp/proof imports policies/seccomp: a mistake would prove itself")
	}
}

// TestPoliciesArePure looks at what they import themselves: libraries of types
// bring a logger along without using it.
func TestPoliciesArePure(t *testing.T) {
	for _, imp := range golist(t, "-f", `{{join .Imports "\n"}}`, "./policies/...") {
		switch imp {
		case "os", "log", "log/slog", "net/http", "os/exec", "path/filepath":
			t.Errorf("a package of policies imports %s: policies are functions of what was observed", imp)
		}
	}
}

// foreignDeps lists what the packages of pattern depend on, without themselves.
func foreignDeps(t *testing.T, pattern string) []string {
	t.Helper()
	own := golist(t, pattern)
	var deps []string
	for _, dep := range golist(t, "-deps", pattern) {
		if !contains(own, dep) {
			deps = append(deps, dep)
		}
	}
	return deps
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

func golist(t *testing.T, args ...string) []string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %v: %v\n%s", args, err, stderr.String())
	}
	return strings.Fields(string(out))
}
