package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// inShop is a directory of its own with the example of the documentation.
func inShop(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../docs/shop")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// withAdvisor is a path in which "advisor" is this program.
func withAdvisor(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "advisor")); err != nil {
		t.Fatal(err)
	}
	return "PATH=" + dir + ":" + os.Getenv("PATH")
}

// withoutAdvisor is the path without the directories that have one: the scripts
// of other tests find this program in one of them.
func withoutAdvisor(t *testing.T) string {
	t.Helper()
	dirs := slices.DeleteFunc(filepath.SplitList(os.Getenv("PATH")), func(dir string) bool {
		_, err := os.Stat(filepath.Join(dir, "advisor"))
		return err == nil
	})
	return "PATH=" + strings.Join(dirs, ":")
}

// shell runs a script as a runner does, and wants an exit code.
func shell(t *testing.T, dir string, env []string, script string, want int) string {
	t.Helper()
	cmd := exec.Command(shellOrSkip(t, "bash"), "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		t.Fatalf("%q ends with %d, not %d:\n%s", script, got, want, out)
	}
	return string(out)
}

// sourceRepository is a git repository of this tree, as it is checked out by
// those who use it: with what is changed and not yet committed.
func sourceRepository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	shell(t, "../..", []string{"TO=" + dir}, `git ls-files -z --cached --others --exclude-standard |
		while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
		tar --null --files-from=- -cf - | tar -C "$TO" -xf -`, 0)
	shell(t, dir, nil, `git init -q -b main . && git add -A && `+commit, 0)
	return dir
}

// commit is the command for it, by nobody in particular.
const commit = `git -c user.name=test -c user.email=test@example.org commit -q -m test`

type gitlabJob struct {
	Stage, Image string
	Variables    map[string]string
	Before       []string `json:"before_script"`
	Script       []string
	Artifacts    struct {
		When    string
		Reports map[string]string
	}
}

// TestGitLabTemplate runs the scripts of the GitLab job in the example: with an
// image that has advisor, with one that builds it, and without either.
func TestGitLabTemplate(t *testing.T) {
	var template struct{ Advisor gitlabJob }
	readYAML(t, "../../.gitlab/advisor.yml", &template)
	job := template.Advisor
	if want := "golang:" + goVersion(t); job.Image != want {
		t.Errorf("the job's image is %s, go.mod wants %s", job.Image, want)
	}
	script := strings.Join(append(job.Before, job.Script...), "\n")
	source := sourceRepository(t)
	for name, run := range map[string]struct {
		env  []string
		code int
	}{
		"in the image": {[]string{withAdvisor(t)}, exitDrift},
		"built":        {[]string{withoutAdvisor(t), "ADVISOR_SOURCE=file://" + source}, exitDrift},
		"nowhere":      {[]string{withoutAdvisor(t)}, exitError},
	} {
		t.Run(name, func(t *testing.T) {
			dir := inShop(t)
			var env []string
			for name, value := range job.Variables {
				env = append(env, name+"="+value)
			}
			out := shell(t, dir, append(env, run.env...), script, run.code)
			if run.code == exitError {
				if !strings.Contains(out, "set ADVISOR_SOURCE") {
					t.Errorf("no word of what to do in %q", out)
				}
				return
			}
			for _, file := range job.Artifacts.Reports {
				if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Size() == 0 {
					t.Errorf("%s: %v, want something in it", file, err)
				}
			}
		})
	}
}

// goVersion is that of go.mod, without its patch.
func goVersion(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "\ngo ")
	parts := strings.SplitN(strings.Fields(after)[0], ".", 3)
	return parts[0] + "." + parts[1]
}

// TestPreCommitHooks has pre-commit install the hooks from a repository of this
// tree and run them on a change, as those who use them do.
func TestPreCommitHooks(t *testing.T) {
	shellOrSkip(t, "pre-commit")
	source, dir := sourceRepository(t), inShop(t)
	cache := strings.TrimSpace(shell(t, dir, nil, "go env GOMODCACHE", 0))
	// pre-commit has a GOPATH of its own, for which every module would come anew.
	env := []string{"PRE_COMMIT_HOME=" + t.TempDir(), "GOMODCACHE=" + cache, "GOFLAGS=-modcacherw"}
	rev := strings.TrimSpace(shell(t, source, nil, "git rev-parse HEAD", 0))
	config := `repos:
- repo: file://` + source + `
  rev: ` + rev + `
  hooks:
  - id: advisor-diff
    args: [trace.log, -m, k8s]
  - id: advisor-trace-validate
`
	if err := os.WriteFile(filepath.Join(dir, ".pre-commit-config.yaml"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	shell(t, dir, env, "git init -q . && git add -A && pre-commit install && "+commit+" --no-verify", 0)
	shell(t, dir, env, "echo '# changed' >>k8s/web.yaml && git add -A", 0)
	out := shell(t, dir, env, commit, exitDrift) // what drifts is not committed
	for _, want := range []string{"advisor diff", "caps/missing", "k8s/web.yaml:18:11", "exit code: 1"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	shell(t, dir, env, "sed -i 's/NET_RAW/SETUID/' k8s/web.yaml && git add -A && "+commit, 0)
	shell(t, dir, env, "sed -i '$d' trace.log && git add -A", 0)
	if out := shell(t, dir, env, commit, exitDrift); !strings.Contains(out, "advisor trace validate") {
		t.Errorf("a trace that was cut passes:\n%s", out)
	}
}
