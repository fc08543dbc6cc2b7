package main

import (
	"os"
	"strings"
	"testing"
)

// exitCodes are the rows of docs/exit-codes.md that every command shares.
var exitCodes = []struct{ code, meaning string }{
	{"0", "Done, and nothing that fails was found."},
	{"1", "Done, and at least one finding or difference that --fail-on selects; " +
		"a trace that trace validate can read and that is not whole."},
	{"2", "No answer: bad usage, unreadable input, a trace without containers, " +
		"nothing to compare, evidence below what was required, no privilege."},
	{"125", "advisor itself failed in monitor -- COMMAND, " +
		"which otherwise ends with the code of COMMAND."},
	{"126", "The COMMAND of monitor -- COMMAND cannot be run."},
	{"127", "The COMMAND of monitor -- COMMAND is not there."},
	{"130", "Interrupted a second time."},
}

// environment is what the program reads of its environment.
var environment = []struct{ name, meaning string }{
	{"NO_COLOR", "No colour, unless --color always asks for it."},
	{"SOURCE_DATE_EPOCH", "The time by which entries of the ignore file expire, " +
		"in seconds since 1970; default: now."},
}

// TestExitCodes holds the page on exit codes against the constants and the
// rows of the man page.
func TestExitCodes(t *testing.T) {
	text, err := os.ReadFile("../../docs/exit-codes.md")
	if err != nil {
		t.Fatal(err)
	}
	page := strings.ReplaceAll(string(text), "`", "")
	for _, row := range exitCodes {
		if want := "| " + row.code + " | " + row.meaning + " |"; !strings.Contains(page, want) {
			t.Errorf("docs/exit-codes.md lacks the row %q", want)
		}
	}
	for _, row := range environment {
		if want := "| " + row.name + " | " + row.meaning + " |"; !strings.Contains(page, want) {
			t.Errorf("docs/exit-codes.md lacks the row %q", want)
		}
	}
}
