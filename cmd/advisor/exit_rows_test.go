package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"advisor/report"
)

// exitRows are commands that end with each code that needs no kernel, in the
// example of the documentation. Those of monitor -- COMMAND are in the scripts,
// and an interruption is no end of run.
var exitRows = []struct {
	code int
	args string
}{
	{exitOK, "report caps trace.log"},
	{exitOK, "report all trace.log -m k8s"},
	{exitOK, "diff trace.log -m next --kind caps"},
	{exitOK, "diff trace.log -m k8s --fail-on never"},
	{exitOK, "compare k8s k8s"},
	{exitOK, "trace validate trace.log"},
	{exitOK, "trace merge trace.log"},
	{exitOK, "trace info trace.log"},
	{exitOK, "netpol connections -m k8s"},
	{exitOK, "version"},
	{exitOK, "completion bash"},
	{exitDrift, "diff trace.log -m k8s"},
	{exitDrift, "compare k8s next"},
	{exitDrift, "trace validate cut.log"},
	{exitDrift, "netpol explain shop/cart shop/web 80 -m next"},
	{exitError, "no-such-command"},
	{exitError, "diff trace.log -m k8s --no-such-flag"},
	{exitError, "diff trace.log -m none"},
	{exitError, "diff none.log -m k8s"},
	{exitError, "diff empty.log -m k8s"},
	{exitError, "diff trace.log -m ignore.yaml"},
	{exitError, "diff trace.log -m k8s --require-duration 48h"},
	{exitError, "diff cut.log -m k8s --strict"},
	{exitError, "diff trace.log -m k8s -w nobody"},
	{exitError, "report caps empty.log"},
	{exitError, "report caps --strict cut.log"},
	{exitError, "compare k8s none"},
	{exitError, "render trace.log"},
	{exitError, "trace validate none.log"},
	{exitError, "netpol explain shop/cart shop/nobody 80 -m next"},
}

// TestExitRows runs a command for each row of the table of exit codes, and for
// each thing that a row lists.
func TestExitRows(t *testing.T) {
	exampleWithCuts(t)
	for _, row := range exitRows {
		var out, said bytes.Buffer
		got := run(t.Context(), strings.Fields(row.args), streams{in: strings.NewReader(""), out: &out, err: &said})
		if got != row.code {
			t.Errorf("advisor %s ends with %d, not %d: %s", row.args, got, row.code, said.Bytes())
		}
		if row.code == exitError && said.Len() == 0 {
			t.Errorf("advisor %s ends with 2 and says nothing", row.args)
		}
		for line := range strings.Lines(said.String()) {
			if !strings.HasPrefix(line, "advisor: ") {
				t.Errorf("advisor %s says %q", row.args, line)
			}
		}
	}
}

// exampleWithCuts goes to a copy of the example with recordings that lack
// something.
func exampleWithCuts(t *testing.T) {
	t.Helper()
	dir := inShop(t)
	t.Chdir(dir)
	text, err := os.ReadFile("trace.log")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	cuts := map[string]string{
		"cut.log":   strings.Join(lines[:len(lines)-2], ""), // without its end
		"empty.log": lines[0],
	}
	for name, text := range cuts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFormatsAndCodes holds that no format changes the code, that each is alone
// on stdout, and that the order of the inputs changes nothing, for a comparison
// that finds something and one that does not.
func TestFormatsAndCodes(t *testing.T) {
	exampleWithCuts(t)
	for _, format := range report.Renderings() {
		for args, code := range map[string]int{
			"diff trace.log cut.log -m k8s/web.yaml -m k8s/cart.yaml":                       exitDrift,
			"diff trace.log cut.log -m next/web.yaml -m next/cart.yaml -m next/netpol.yaml": exitOK,
		} {
			first := renderedAs(t, args, format, code)
			fields := strings.Fields(args)
			swapped := []string{"diff", fields[2], fields[1]}
			for i := len(fields) - 1; i > 3; i -= 2 {
				swapped = append(swapped, "-m", fields[i])
			}
			second := renderedAs(t, strings.Join(swapped, " "), format, code)
			if first != second {
				t.Errorf("%s: %q and %q print other bytes", format, args, strings.Join(swapped, " "))
			}
		}
	}
}

func renderedAs(t *testing.T, args, format string, code int) string {
	t.Helper()
	var out, said bytes.Buffer
	list := append(strings.Fields(args), "--format", format)
	if got := run(t.Context(), list, streams{in: strings.NewReader(""), out: &out, err: &said}); got != code {
		t.Errorf("%v ends with %d, not %d: %s", list, got, code, said.Bytes())
	}
	if said.Len() > 0 {
		t.Errorf("%v says %s", list, said.Bytes())
	}
	return out.String()
}
