package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"advisor/report"
)

// Exit codes, as in diff(1) and kubectl diff.
const (
	exitOK    = 0
	exitDrift = 1 // done, and at least one finding that --fail-on selects
	exitError = 2 // no answer: bad usage, unreadable input, no privilege
)

// streams are the process's own files.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// say writes lines for a person. Empty ones, as other programs put into what they
// say, are left out.
func (s streams) say(format string, args ...any) {
	for line := range strings.Lines(strings.TrimSuffix(fmt.Sprintf(format, args...), "\n")) {
		if strings.TrimSpace(line) != "" {
			fmt.Fprintf(s.err, "advisor: %s\n", strings.TrimSuffix(line, "\n"))
		}
	}
}

// exitCode is an end of the process that has been explained already.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit status %d", int(c)) }

// run is the whole program. It returns the exit code.
func run(ctx context.Context, args []string, s streams) int {
	err := dispatch(ctx, args, s)
	var code exitCode
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	}
	complain(s, err)
	return exitError
}

// dispatch parses the arguments and runs the command they name.
func dispatch(ctx context.Context, args []string, s streams) error {
	var grammar grammar
	helped := false
	told := s
	if len(args) == 0 {
		told.out = s.err // it was not asked for, and is no result
	}
	parser, err := newParser(&grammar, told, func(int) { helped = true })
	if err != nil {
		return err
	}
	command, err := parser.Parse(asWritten(args))
	switch {
	case len(args) == 0:
		return exitCode(exitError) // the help has been shown, on stderr
	case helped:
		return nil
	case err != nil:
		return usageError(err)
	}
	command.BindTo(ctx, (*context.Context)(nil))
	return command.Run(s, parser.Model)
}

// asWritten takes the ways in which other programs are asked for help and version:
// "advisor", "advisor help monitor", "advisor --version".
func asWritten(args []string) []string {
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "help":
		return append(slices.Clone(args[1:]), "--help")
	case args[0] == "--version":
		return append([]string{"version"}, args[1:]...)
	}
	return args
}

// helpOf is the help of a flag, with its default where the placeholder does not
// show it.
func helpOf(v *kong.Value) string {
	if v.Flag == nil || v.Flag.PlaceHolder == "" || v.Default == "" {
		return v.Help
	}
	return strings.TrimSuffix(v.Help, ".") + "; default: " + v.Default + "."
}

// newParser builds the parser. Kong calls exit after it has printed help, and
// would go on to complain about what is missing on the command line.
func newParser(g *grammar, s streams, exit func(int)) (*kong.Kong, error) {
	return kong.New(g,
		kong.Name("advisor"),
		kong.Description("Record what containers do, and get the tightest policies that let them work."),
		kong.Writers(s.out, s.err),
		kong.Exit(exit),
		kong.Vars{
			"renderings":      strings.Join(report.Renderings(), ","),
			"ignore_file":     report.IgnoreFile,
			"seccomp_formats": report.FormatNames(report.KindSeccomp),
			"compare_formats": strings.Join(compareFormats(), ","),
			"netpol_formats":  report.FormatNames(report.KindNetpol),
			"caps_formats":    report.FormatNames(report.KindCaps),
			"dialects":        strings.Join(dialectNames(), ", "),
			"engines":         strings.Join(engineNames(), ", "),
		},
		kong.ValueFormatter(helpOf),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
	)
}

// usageError adds where to look to what kong has to say.
func usageError(err error) error {
	command := "advisor"
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context.Selected() != nil {
		command = parse.Context.Selected().FullPath()
	}
	return hint(err, "%s --help lists what it takes", command)
}
