package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"advisor/report"
)

// TestReferences holds the generated pages of docs/ against what they are made
// of; -update writes them.
func TestReferences(t *testing.T) {
	parser, err := newParser(new(grammar), streams{}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"../../docs/cli.md":   cliReference(parser.Model),
		"../../docs/rules.md": rulesReference(),
	} {
		if *update {
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s is not current; go test ./cmd/advisor -update writes it (-want +got):\n%s", file, diff)
		}
	}
}

const generated = "<!-- Written by go test ./cmd/advisor -update: do not edit. -->\n"

func cliReference(app *kong.Application) string {
	var b strings.Builder
	b.WriteString("# The command line\n\n" + generated + `
Exit codes, as those of diff(1): **0** done, nothing that ` + "`--fail-on`" + ` selects; **1** done, with at least one
such finding or difference; **2** no answer: bad usage, unreadable input, empty trace, evidence that is not good
enough, no privilege. ` + "`monitor -- COMMAND`" + ` ends with the command's code, or with 125 where recording itself fails.
`)
	for _, w := range vocabulary(app)[1:] {
		if len(w.subs) == 0 {
			commandReference(&b, app, w)
		}
	}
	return b.String()
}

func commandReference(b *strings.Builder, app *kong.Application, w words) {
	node := app.Node
	for _, name := range strings.Fields(w.path) {
		for _, child := range node.Children {
			if child.Name == name {
				node = child
				break
			}
		}
	}
	fmt.Fprintf(b, "\n## advisor %s\n\n%s\n\n", w.path, node.Help)
	if len(node.Positional) > 0 || len(w.flags) > 0 {
		b.WriteString("| | |\n|---|---|\n")
	}
	for _, p := range node.Positional {
		fmt.Fprintf(b, "| `%s` | %s |\n", p.Summary(), inCell(p.Help))
	}
	for _, f := range w.flags {
		if f.Name == "help" {
			continue
		}
		name := "`--" + f.Name + "`"
		if f.Short != 0 {
			name = fmt.Sprintf("`-%c`, %s", f.Short, name)
		}
		if f.HasDefault && f.Default != "" {
			name += " (" + f.Default + ")"
		}
		fmt.Fprintf(b, "| %s | %s |\n", name, inCell(f.Help))
	}
}

func rulesReference() string {
	var b strings.Builder
	b.WriteString("# What a comparison can find\n\n" + generated + `
| class | meaning | level |
|---|---|---|
| missing | it was observed; the manifest forbids it: enforcing breaks the workload | error |
| invalid | parses but cannot work, or the API server or runtime would refuse it | error |
| unprotected | no profile, no policy selects it, capabilities not dropped | warning |
| excess | the manifest allows it; it was never observed: attack surface | warning |
| unknown | cannot be decided from what is here; says which fact is missing | note |

| rule | class | what was found | what to do |
|---|---|---|---|
`)
	for _, r := range report.Rules() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.ID, r.Class, inCell(r.Short), inCell(r.Help))
	}
	return b.String()
}

func inCell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
