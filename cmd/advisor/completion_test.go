package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// completions are lines with the cursor at their end, and what a shell offers
// there.
var completions = []struct{ line, want string }{
	{"advisor re", "render report"},
	{"advisor report ", "all caps netpol seccomp"},
	{"advisor report seccomp --ac", "--action"},
	{"advisor report seccomp --action ", "errno kill log"},
	{"advisor diff -o x --color al", "always"},
	{"advisor report seccomp --no-", "--no-new-privs"},
	{"advisor completion z", "zsh"},
	{"advisor report caps --format p", "patch podman"},
	{"advisor compare --dialect ci", "cilium cilium-nodes"},
	{"advisor report caps --engine kub", "kubernetes"},
	{"advisor diff --fail-on un", "unknown unprotected"},
	{"advisor trace info --format j", "json"},
}

// TestBashCompletion asks bash what it would offer.
func TestBashCompletion(t *testing.T) {
	const harness = `
COMP_LINE=$1
read -ra COMP_WORDS <<<"$COMP_LINE"
[[ $COMP_LINE == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_advisor
[[ $COMP_LINE == *" " ]] && skip='^-' || skip='^$'
printf '%s\n' "${COMPREPLY[@]}" | grep -v -e "$skip" | sort
`
	script := completion(t, "bash") + harness
	shell := shellOrSkip(t, "bash")
	for _, tt := range completions {
		out, err := exec.Command(shell, "-c", script, "bash", tt.line).CombinedOutput()
		diff := cmp.Diff(tt.want, strings.Join(strings.Fields(string(out)), " "))
		if err != nil || diff != "" {
			t.Errorf("%q: %v (-want +got)\n%s", tt.line, err, diff)
		}
	}
	out, err := exec.Command(shell, "-c", script, "bash", "advisor monitor -- advisor ").Output()
	if strings.TrimSpace(string(out)) != "" {
		t.Errorf("after --: %v, want file names only\n%s", err, out)
	}
}

// TestFishCompletion asks fish, where there is one.
func TestFishCompletion(t *testing.T) {
	shell, script := shellOrSkip(t, "fish"), completion(t, "fish")
	for _, tt := range completions {
		cmd := exec.Command(shell, "-N", "-c", script+"\ncomplete -C "+fishQuote(tt.line))
		cmd.Dir = t.TempDir()
		out, err := cmd.CombinedOutput()
		var got []string
		for line := range strings.Lines(string(out)) {
			word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
			got = append(got, word)
		}
		diff := cmp.Diff(tt.want, strings.Join(got, " "))
		if err != nil || diff != "" {
			t.Errorf("%q: %v (-want +got)\n%s", tt.line, err, diff)
		}
	}
}

// TestZshCompletion has zsh read its script, where there is a zsh.
func TestZshCompletion(t *testing.T) {
	shell, script := shellOrSkip(t, "zsh"), completion(t, "zsh")
	out, err := exec.Command(shell, "-f", "-c",
		"autoload -Uz compinit && compinit -D -u\n"+script+"\nprint $_comps[advisor]").CombinedOutput()
	if got := strings.TrimSpace(string(out)); err != nil || got != "_bash_complete -o default -F _advisor" {
		t.Errorf("%v: %q", err, got)
	}
}

func completion(t *testing.T, shell string) string {
	t.Helper()
	var out, stderr bytes.Buffer
	code := run(t.Context(), []string{"completion", shell}, streams{out: &out, err: &stderr})
	if code != exitOK {
		t.Fatal(stderr.String())
	}
	return out.String()
}

func shellOrSkip(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("ADVISOR_REQUIRE_BPF") != "" {
		t.Fatalf("ADVISOR_REQUIRE_BPF is set, but: %v: run fixtures/bed/install.sh", err)
	}
	if err != nil {
		t.Skipf("needs %s: %v", name, err)
	}
	return path
}

// TestCompletionUsage: a shell there is no script for is a usage error.
func TestCompletionUsage(t *testing.T) {
	silent := streams{out: io.Discard, err: io.Discard}
	if got := run(t.Context(), []string{"completion", "tcsh"}, silent); got != exitError {
		t.Errorf("exit code %d, want %d", got, exitError)
	}
}
