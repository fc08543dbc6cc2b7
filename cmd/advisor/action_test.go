package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

type action struct {
	Name, Description string
	Inputs            map[string]struct {
		Description, Default string
		Required             bool
	}
	Runs struct {
		Using string
		Steps []actionStep
	}
}

type actionStep struct {
	If, Uses, Shell, Run string
	Directory            string `json:"working-directory"`
	With                 map[string]any
	Env                  map[string]string
}

// runner does with a composite action what GitHub's does: expressions, inputs
// with their defaults, steps in bash with an environment, a directory and files
// to write to. Whatever of an action it does not know fails the test.
type runner struct {
	action    action
	path      string // the action's
	workspace string // of the repository that uses it
	temp      string
	inputs    map[string]string
	env       []string
}

func newRunner(t *testing.T, inputs map[string]string) *runner {
	t.Helper()
	r := &runner{workspace: inShop(t), temp: t.TempDir(), inputs: map[string]string{}}
	r.path = sourceRepository(t)
	readYAML(t, filepath.Join(r.path, "action.yml"), &r.action)
	if r.action.Runs.Using != "composite" {
		t.Fatalf("the action uses %s", r.action.Runs.Using)
	}
	for name, in := range r.action.Inputs {
		r.inputs[name] = in.Default
		if _, given := inputs[name]; in.Required && !given {
			t.Fatalf("input %s is required", name)
		}
	}
	for name := range inputs {
		if _, ok := r.inputs[name]; !ok {
			t.Fatalf("there is no input %s", name)
		}
	}
	maps.Copy(r.inputs, inputs)
	r.env = []string{"RUNNER_TEMP=" + r.temp, "GITHUB_ACTIONS=true", "GITHUB_WORKSPACE=" + r.workspace,
		"GITHUB_STEP_SUMMARY=" + r.summary(), "GITHUB_OUTPUT=" + filepath.Join(r.temp, "output")}
	return r
}

func (r *runner) summary() string { return filepath.Join(r.temp, "summary.md") }

var expression = regexp.MustCompile(`\$\{\{ ([a-z_.-]+) \}\}`)

// expand puts values in the place of expressions.
func (r *runner) expand(t *testing.T, text string) string {
	t.Helper()
	return expression.ReplaceAllStringFunc(text, func(whole string) string {
		switch name := expression.FindStringSubmatch(whole)[1]; {
		case name == "github.action_path":
			return r.path
		case strings.HasPrefix(name, "inputs."):
			value, ok := r.inputs[strings.TrimPrefix(name, "inputs.")]
			if !ok {
				t.Errorf("there is no %s", name)
			}
			return value
		default:
			t.Errorf("what is %s?", whole)
			return ""
		}
	})
}

// wanted decides the condition of a step, of the one form that there is.
func (r *runner) wanted(t *testing.T, condition string) bool {
	t.Helper()
	if condition == "" {
		return true
	}
	name, ok := strings.CutSuffix(strings.TrimPrefix(condition, "inputs."), " == ''")
	if !ok {
		t.Fatalf("what does %q mean?", condition)
	}
	return r.inputs[name] == ""
}

// run runs the steps; the last of them is to end with a code, the others with 0.
func (r *runner) run(t *testing.T, code int) string {
	t.Helper()
	var said string
	for i, step := range r.action.Runs.Steps {
		switch {
		case !r.wanted(t, step.If):
		case step.Uses != "":
			r.use(t, step)
		case step.Shell != "bash":
			t.Fatalf("step %d is for %q", i, step.Shell)
		default:
			want := 0
			if i == len(r.action.Runs.Steps)-1 {
				want = code
			}
			said += r.step(t, step, want)
		}
	}
	return said
}

func (r *runner) step(t *testing.T, step actionStep, want int) string {
	t.Helper()
	dir := r.workspace
	if step.Directory != "" {
		dir = r.expand(t, step.Directory)
	}
	if strings.Contains(step.Run, "${{") {
		t.Errorf("an expression in a script is a way to run anything: %s", step.Run)
	}
	env := r.env
	for name, value := range step.Env {
		env = append(env, name+"="+r.expand(t, value))
	}
	return shell(t, dir, env, step.Run, want)
}

// use stands for the only foreign action: Go is there already, and what is asked
// for has to exist.
func (r *runner) use(t *testing.T, step actionStep) {
	t.Helper()
	if !strings.HasPrefix(step.Uses, "actions/setup-go@") {
		t.Fatalf("what does %s do?", step.Uses)
	}
	if _, err := os.Stat(r.expand(t, fmt.Sprint(step.With["go-version-file"]))); err != nil {
		t.Error(err)
	}
}

// TestAction runs the GitHub action in the example, as it builds advisor itself,
// and with one that is given.
func TestAction(t *testing.T) {
	tests := []struct {
		name   string
		inputs map[string]string
		code   int
		said   string
	}{
		{"built", map[string]string{"manifests": "k8s"}, exitDrift, "::error file=k8s/web.yaml,line=18,"},
		{"given", map[string]string{
			"manifests": "k8s/web.yaml\nk8s/cart.yaml\n", "trace": "trace.log\n", "advisor": "advisor",
			"arguments": "--kind=caps\n--workload=web", "fail-on": "never", "sarif": "out.sarif", "json": "out.json",
		}, exitOK, "::warning file=k8s/web.yaml,line=19,"},
		{"no answer", map[string]string{"manifests": "none", "advisor": "advisor"}, exitError, "none: no such file"},
		{"hostile", map[string]string{
			"manifests": "$(touch owned)", "trace": "-m", "fail-on": "`touch owned`", "advisor": "advisor",
		}, exitError, "--fail-on: \"`touch owned`\" is none of"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRunner(t, tt.inputs)
			if tt.inputs["advisor"] != "" {
				r.env = append(r.env, withAdvisor(t))
			}
			if said := r.run(t, tt.code); !strings.Contains(said, tt.said) {
				t.Errorf("no %q in\n%s", tt.said, said)
			}
			r.left(t, tt.code)
			for _, name := range []string{"sarif", "json"} {
				if tt.inputs[name] == "" {
					continue
				}
				if info, err := os.Stat(filepath.Join(r.workspace, tt.inputs[name])); err != nil || info.Size() == 0 {
					t.Errorf("%s: %v, want something in it", name, err)
				}
			}
		})
	}
}

// left holds what a run leaves behind: a summary where there is an answer, and
// nothing that an input asked for.
func (r *runner) left(t *testing.T, code int) {
	t.Helper()
	summary, err := os.ReadFile(r.summary())
	if answered := code != exitError; answered != (err == nil && strings.Contains(string(summary), "## advisor: ")) {
		t.Errorf("code %d, and the summary is %q (%v)", code, summary, err)
	}
	if _, err := os.Stat(filepath.Join(r.workspace, "owned")); err == nil {
		t.Error("an input was run as a command")
	}
}
