package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// TestReference holds the reference of the command line against the grammar it
// is made from.
func TestReference(t *testing.T) { held(t, "../../docs/cli.md", reference(model(t))) }

// TestManPage does the same for the man page.
func TestManPage(t *testing.T) { held(t, "../../docs/advisor.1", manPage(model(t))) }

// held compares a file with what it should hold, or writes it.
func held(t *testing.T, path string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not current; -update writes it (-want +got)\n%s", path, diff)
	}
}

func model(t *testing.T) *kong.Application {
	t.Helper()
	var g grammar
	parser, err := newParser(&g, streams{out: io.Discard, err: io.Discard}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	return parser.Model
}

// reference is the grammar as a page.
func reference(app *kong.Application) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# The command line\n\n%s\n\n", app.Help)
	fmt.Fprint(&b, "Made from the program's grammar: `go test ./cmd/advisor -update` "+
		"writes this page.\n[What the exit codes mean](exit-codes.md).\n\n")
	for _, n := range commands(app.Node)[1:] {
		if n.Leaf() {
			fmt.Fprintf(&b, "- [`%s`](#%s): %s\n", n.FullPath(), strings.ReplaceAll(n.FullPath(), " ", "-"),
				n.Help)
		}
	}
	for _, n := range commands(app.Node)[1:] {
		if n.Leaf() {
			referenceCommand(&b, n)
		}
	}
	return b.Bytes()
}

func referenceCommand(b *bytes.Buffer, n *kong.Node) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n```text\nadvisor %s\n```\n", n.FullPath(), n.Help, n.Summary())
	if n.Detail != "" {
		fmt.Fprintf(b, "\n%s\n", n.Detail)
	}
	if len(n.Positional) > 0 {
		fmt.Fprint(b, "\n| argument | |\n| --- | --- |\n")
		for _, p := range n.Positional {
			fmt.Fprintf(b, "| `%s` | %s |\n", p.Summary(), cell(p.Help))
		}
	}
	if flags := flagsOf(n); len(flags) > 1 {
		fmt.Fprint(b, "\n| flag | default | |\n| --- | --- | --- |\n")
		for _, f := range flags {
			if f.Name != "help" {
				fmt.Fprintf(b, "| `%s` | %s | %s |\n", flagText(f), defaultOf(f), cell(f.Help))
			}
		}
	}
}

// flagText is a flag with what it takes: a default is not what stands there.
func flagText(f *kong.Flag) string {
	text := strings.Join(spellings(f), ", ")
	switch {
	case f.IsBool():
	case f.PlaceHolder != "":
		text += " " + strings.TrimSuffix(f.PlaceHolder, ",...")
	case f.Enum != "":
		text += " " + strings.ToUpper(f.Name)
	default:
		text += " VALUE"
	}
	return text
}

func defaultOf(f *kong.Flag) string {
	if f.Default == "" {
		return ""
	}
	return "`" + f.Default + "`"
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// manPage is the grammar as a page for man(1).
func manPage(app *kong.Application) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, ".TH ADVISOR 1\n.SH NAME\nadvisor \\- %s\n", roff("record what containers do, "+
		"and get the tightest policies that let them work"))
	fmt.Fprint(&b, ".SH SYNOPSIS\n")
	for i, n := range leaves(app) {
		if i > 0 {
			fmt.Fprint(&b, ".br\n")
		}
		fmt.Fprintf(&b, "%s\n", roff("advisor "+n.Summary()))
	}
	fmt.Fprint(&b, ".SH COMMANDS\n")
	for _, n := range leaves(app) {
		manCommand(&b, n)
	}
	fmt.Fprint(&b, ".SH EXIT STATUS\n")
	for _, row := range exitCodes {
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", row.code, roff(row.meaning))
	}
	fmt.Fprint(&b, ".SH ENVIRONMENT\n")
	for _, row := range environment {
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", row.name, roff(row.meaning))
	}
	return b.Bytes()
}

func leaves(app *kong.Application) []*kong.Node {
	var list []*kong.Node
	for _, n := range commands(app.Node)[1:] {
		if n.Leaf() {
			list = append(list, n)
		}
	}
	return list
}

func manCommand(b *bytes.Buffer, n *kong.Node) {
	fmt.Fprintf(b, ".SS %s\n%s\n", roff(n.FullPath()), roff(n.Help))
	if n.Detail != "" {
		fmt.Fprintf(b, ".PP\n%s\n", strings.ReplaceAll(roff(n.Detail), "\n\n", "\n.PP\n"))
	}
	for _, p := range n.Positional {
		fmt.Fprintf(b, ".TP\n.I %s\n%s\n", roff(p.Summary()), roff(p.Help))
	}
	for _, f := range flagsOf(n) {
		if f.Name == "help" {
			continue
		}
		help := f.Help
		if f.Default != "" {
			help = strings.TrimSuffix(help, ".") + " (default: " + f.Default + ")."
		}
		fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(flagText(f)), roff(help))
	}
}

// roff writes a text so that troff takes nothing in it for its own: neither
// backslashes nor a dot or a quote at the start of a line. A hyphen is to be
// one that can be copied into a shell.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", `\[u2026]`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
