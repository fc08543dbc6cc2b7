package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func readYAML(t *testing.T, path string, to any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, to); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// inShop makes a copy of the example of the documentation, in which "advisor"
// is this program, and returns its path and what to add to the environment.
func inShop(t *testing.T) (dir string, env []string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../docs/shop")); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "advisor")); err != nil {
		t.Fatal(err)
	}
	return dir, []string{"PATH=" + dir + ":" + os.Getenv("PATH")}
}

// shell runs a script as a runner does, and wants an exit code.
func shell(t *testing.T, dir string, env []string, script string, want int) string {
	t.Helper()
	cmd := exec.Command(shellOrSkip(t, "bash"), "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, _ := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != want {
		t.Fatalf("%q ends with %d, not %d:\n%s", script, got, want, out)
	}
	return string(out)
}

// TestAction runs the script of the GitHub action in the example.
func TestAction(t *testing.T) {
	var action struct {
		Name, Description string
		Inputs            map[string]struct {
			Description, Default string
			Required             bool
		}
		Runs struct {
			Using string
			Steps []struct {
				If, Uses, Shell, Run string
				Directory            string `json:"working-directory"`
				With                 map[string]any
				Env                  map[string]string
			}
		}
	}
	readYAML(t, "../../action.yml", &action)
	last := action.Runs.Steps[len(action.Runs.Steps)-1]
	for name := range action.Inputs {
		if variable := strings.ToUpper(strings.ReplaceAll(name, "-", "_")); last.Env[variable] !=
			"${{ inputs."+name+" }}" {
			t.Errorf("input %s does not reach the script as %s", name, variable)
		}
	}
	dir, env := inShop(t)
	summary := filepath.Join(dir, "summary.md")
	env = append(env, "RUNNER_TEMP="+dir, "GITHUB_STEP_SUMMARY="+summary, "ADVISOR=advisor",
		"TRACE=trace.log\n", "MANIFESTS=k8s/web.yaml\nk8s/cart.yaml\n", "ARGUMENTS=--kind=caps",
		"SARIF=out.sarif", "JSON=out.json")
	out := shell(t, dir, append(env, "FAIL_ON=missing"), last.Run, exitDrift)
	if !strings.Contains(out, "::error file=k8s/web.yaml,") {
		t.Errorf("no annotation in\n%s", out)
	}
	for _, file := range []string{"summary.md", "out.sarif", "out.json"} {
		if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v, want something in it", file, err)
		}
	}
	shell(t, dir, append(env, "FAIL_ON=never"), last.Run, exitOK)
	shell(t, dir, append(env, "FAIL_ON=nonsense"), last.Run, exitError)
}

// TestGitLabTemplate runs the script of the GitLab job in the example.
func TestGitLabTemplate(t *testing.T) {
	var template struct {
		Advisor struct {
			Stage     string
			Variables map[string]string
			Script    []string
			Artifacts struct {
				When    string
				Reports map[string]string
			}
		}
	}
	readYAML(t, "../../.gitlab/advisor.yml", &template)
	dir, env := inShop(t)
	for name, value := range template.Advisor.Variables {
		env = append(env, name+"="+value)
	}
	shell(t, dir, env, strings.Join(template.Advisor.Script, "\n"), exitDrift)
	for _, file := range template.Advisor.Artifacts.Reports {
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			t.Error(err)
		}
	}
}

// TestPreCommitHooks runs each hook's entry with arguments as users give them.
func TestPreCommitHooks(t *testing.T) {
	var hooks []struct {
		ID, Name, Description, Entry, Language, Files string
		PassFilenames                                 *bool `json:"pass_filenames"`
	}
	readYAML(t, "../../.pre-commit-hooks.yaml", &hooks)
	dir, env := inShop(t)
	for id, run := range map[string]struct {
		arguments string
		code      int
	}{
		"advisor-diff":           {"trace.log -m k8s", exitDrift},
		"advisor-trace-validate": {"trace.log", exitOK},
	} {
		found := false
		for _, hook := range hooks {
			if hook.ID == id {
				found = true
				shell(t, dir, env, hook.Entry+" "+run.arguments, run.code)
			}
		}
		if !found {
			t.Errorf("no hook %s", id)
		}
	}
}
