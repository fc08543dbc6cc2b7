package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// console is a block of commands with what they print.
var console = regexp.MustCompile("(?s)```console\n(.*?)```")

// TestDocs runs every command in a console block of the documentation, in
// order, in a copy of docs/shop, and holds what it prints (stdout, then
// stderr) against the page. "# exits N" after a command is its exit code.
// With -update the pages get what is printed now.
func TestDocs(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for i := range pages {
		pages[i], _ = filepath.Abs(pages[i])
	}
	ran := 0
	for _, page := range pages {
		ran += testPage(t, page)
	}
	if ran == 0 {
		t.Error("no page has a command: the search for them is broken")
	}
}

func testPage(t *testing.T, page string) (ran int) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	t.Run(filepath.Base(page), func(t *testing.T) {
		shop, err := filepath.Abs("../../docs/shop")
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(shop)); err != nil {
			t.Fatal(err)
		}
		t.Chdir(dir)
		t.Setenv("SOURCE_DATE_EPOCH", "1767312000") // 2026-01-02
		got := console.ReplaceAllStringFunc(string(text), func(block string) string {
			body := console.FindStringSubmatch(block)[1]
			return "```console\n" + runBlock(t, body, &ran) + "```"
		})
		if *update {
			if err := os.WriteFile(page, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		if diff := cmp.Diff(string(text), got); diff != "" {
			t.Errorf("%s shows other than what is printed (-page +printed)\n%s", page, diff)
		}
	})
	return ran
}

// runBlock gives back the commands of a block with what they print now.
func runBlock(t *testing.T, body string, ran *int) string {
	var b strings.Builder
	for line := range strings.Lines(body) {
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			continue
		}
		*ran++
		b.WriteString(line)
		b.WriteString(runLine(t, strings.TrimSpace(command)))
	}
	return b.String()
}

func runLine(t *testing.T, line string) string {
	command, code, _ := strings.Cut(line, " # exits ")
	args := strings.Fields(command)
	if args[0] == "cat" {
		text, err := os.ReadFile(args[1])
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if args[0] != "advisor" {
		t.Fatalf("%q: only advisor and cat can stand in a console block", line)
	}
	var out, said bytes.Buffer
	got := run(t.Context(), args[1:], streams{in: strings.NewReader(""), out: &out, err: &said})
	if want := max(strings.Index("012", code), 0); got != want {
		t.Errorf("%q ends with %d, not %d: %s", line, got, want, said.String())
	}
	return out.String() + said.String()
}
