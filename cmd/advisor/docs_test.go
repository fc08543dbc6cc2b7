package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"advisor/fixtures/pages"
)

func allPages(t *testing.T) []string {
	t.Helper()
	module, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	files, err := pages.Files(module)
	if err != nil || len(files) < 10 {
		t.Fatalf("%d pages, %v: the search for them is broken", len(files), err)
	}
	return files
}

func readBlocks(t *testing.T, page string) []pages.Block {
	t.Helper()
	blocks, err := pages.Read(page)
	if err != nil {
		t.Fatal(err)
	}
	return blocks
}

// TestBlocks holds that each block of each page is of a language that says what
// becomes of it, so that there is no command that nothing runs: the languages
// of commands are run here and by fixtures/tutorial, wherever they stand.
func TestBlocks(t *testing.T) {
	commands := []string{pages.Console, pages.Shell, pages.Session}
	contents := []string{pages.Text, pages.YAML, pages.JSON, pages.Dockerfile}
	for _, page := range allPages(t) {
		for _, b := range readBlocks(t, page) {
			isContent := slices.Contains(contents, b.Language)
			if !isContent && !slices.Contains(commands, b.Language) {
				t.Errorf("%s:%d: a block of language %q: is it run or not?", page, b.Line, b.Language)
			}
			if isContent && looksRun.MatchString(b.Body) && filepath.Base(page) != "cli.md" {
				t.Errorf("%s:%d: a %s block with a command in it, which nothing runs", page, b.Line, b.Language)
			}
		}
	}
}

// looksRun is a line that begins like a command of this project.
var looksRun = regexp.MustCompile(`(?m)^\s*(\$ |advisor [a-z]+ |make [a-z]|docker run|kubectl )`)

// TestDocs runs every command in a console block of the README and the
// documentation, in order, in a copy of the example it is about, and holds what
// it prints (stdout, then stderr) against the page. With -update the pages get
// what is printed now, apart from outputs that leave something out.
func TestDocs(t *testing.T) {
	ran := 0
	for _, page := range allPages(t) {
		t.Run(filepath.Base(page), func(t *testing.T) { ran += testPage(t, page) })
	}
	if ran < 10 {
		t.Errorf("%d commands ran: the search for them is broken", ran)
	}
}

func testPage(t *testing.T, page string) (ran int) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	docs, err := filepath.Abs("../../docs")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "1767312000") // 2026-01-02
	dirs := make(map[string]string)
	got := string(text)
	for _, b := range readBlocks(t, page) {
		if b.Language != pages.Console {
			continue
		}
		if dirs[b.Dir] == "" {
			dirs[b.Dir] = t.TempDir()
			if err := os.CopyFS(dirs[b.Dir], os.DirFS(filepath.Join(docs, b.Dir))); err != nil {
				t.Fatal(err)
			}
		}
		t.Chdir(dirs[b.Dir])
		body, n := runBlock(t, page, b)
		ran += n
		got = strings.Replace(got, "```console\n"+b.Body+"```", "```console\n"+body+"```", 1)
	}
	if *update && got != string(text) {
		if err := os.WriteFile(page, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return ran
}

// runBlock gives back the block with what its commands print now.
func runBlock(t *testing.T, page string, b pages.Block) (body string, ran int) {
	for _, c := range b.Commands() {
		ran++
		printed := runLine(t, c.Line)
		shown := c.Output
		switch {
		case pages.Shows(shown, printed):
		case *update && !strings.Contains(shown, "…"):
			shown = printed
		default:
			t.Errorf("%s:%d: %q shows other than what is printed\n-- shown\n%s-- printed\n%s",
				page, b.Line, c.Line, shown, printed)
		}
		body += "$ " + c.Line + "\n" + shown
	}
	return body, ran
}

// runLine runs one command of a page and wants the exit code that stands with
// it, 0 without one.
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

// inline is code in a sentence that begins with the program's name.
var inline = regexp.MustCompile("`advisor ([^`]+)`")

// TestInline holds that a command in a sentence is one that the grammar takes,
// or the beginning of one. Words in capitals stand for anything.
func TestInline(t *testing.T) {
	found := 0
	for _, page := range append(allPages(t), "../../CHANGELOG.md", "../../CONTRIBUTING.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range inline.FindAllStringSubmatch(string(text), -1) {
			found++
			if err := understood(t, words(m[1])); err != nil {
				t.Errorf("%s: `advisor %s`: %v", page, m[1], err)
			}
		}
	}
	if found < 20 {
		t.Errorf("%d commands in sentences: the search for them is broken", found)
	}
}

// words splits a command as a shell does, as far as pages need that.
func words(line string) []string {
	line = strings.NewReplacer("COMMAND --help", "diff --help", "help COMMAND", "help diff").Replace(line)
	var list []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			list = append(list, part)
		} else {
			list = append(list, strings.Fields(part)...)
		}
	}
	return list
}

// incomplete is what the parser says where something is not there yet, or stands
// for one of several words.
var incomplete = regexp.MustCompile(`^expected |^missing flags|missing value|but got "[A-Z]+"$`)

// understood parses arguments. What a page leaves out, such as a path that is
// required, is no mistake in it; a flag or a command there is not is one.
func understood(t *testing.T, args []string) error {
	t.Helper()
	var g grammar
	var out bytes.Buffer
	parser, err := newParser(&g, streams{out: &out, err: &out}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(asWritten(args))
	if err != nil && incomplete.MatchString(err.Error()) {
		return nil
	}
	return err
}
