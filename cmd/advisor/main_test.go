package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the files that scripts and golden tests compare with")

func TestMain(m *testing.M) {
	// The recorder runs this program again as the first process of a command.
	if first, code := firstProcess(); first {
		os.Exit(code)
	}
	testscript.Main(m, map[string]func(){"advisor": main})
}

// TestScripts runs the command line as users do.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "../../fixtures/scripts",
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
		Condition:           condition,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
	})
}

// condition "record" holds where recording works. Where it must work, scripts
// that need it run and fail.
func condition(name string) (bool, error) {
	if name != "record" {
		return false, fmt.Errorf("no condition %q", name)
	}
	if os.Getenv("ADVISOR_REQUIRE_BPF") != "" {
		return true, nil
	}
	_, err := os.Stat("/sys/kernel/btf/vmlinux")
	return os.Geteuid() == 0 && err == nil, nil
}

// exits runs a command that must end with the given code: "exits 1 advisor …".
// A plain "! exec" cannot tell drift (1) from failure (2).
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code command [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}
