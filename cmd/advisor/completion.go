package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"advisor/policies/caps"
	"advisor/policies/netpol"
	"advisor/report"
)

// completionCmd prints what teaches a shell the command line. The scripts hold
// the whole grammar, so completing a word runs no program.
type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help says where the scripts go.
func (completionCmd) Help() string {
	return `bash: source <(advisor completion bash)

zsh: source <(advisor completion zsh), after compinit

fish: advisor completion fish | source`
}

// Run prints the script.
func (c *completionCmd) Run(s streams, app *kong.Application) error {
	var b bytes.Buffer
	switch c.Shell {
	case "bash":
		bashScript(&b, app.Node)
	case "zsh":
		fmt.Fprintln(&b, "#compdef advisor\nautoload -U +X bashcompinit && bashcompinit")
		bashScript(&b, app.Node)
	case "fish":
		fishScript(&b, app.Node)
	}
	_, err := s.out.Write(b.Bytes())
	return err
}

// commands are the commands of the grammar with those above them first.
func commands(n *kong.Node) []*kong.Node {
	list := []*kong.Node{n}
	for _, child := range n.Children {
		if !child.Hidden {
			list = append(list, commands(child)...)
		}
	}
	return list
}

// pathOf is a command without the program's name, each word after a space:
// " report seccomp".
func pathOf(n *kong.Node) string { return strings.TrimPrefix(n.FullPath(), "advisor") }

// flagsOf are the flags a command takes, those of the commands above it too.
func flagsOf(n *kong.Node) []*kong.Flag {
	var list []*kong.Flag
	for _, group := range n.AllFlags(true) {
		list = append(list, group...)
	}
	return list
}

// spellings are the ways to write a flag.
func spellings(f *kong.Flag) []string {
	list := []string{"--" + f.Name}
	if f.Short != 0 {
		list = append(list, "-"+string(f.Short))
	}
	return list
}

// values are the words that a flag or an argument takes, none where any will do.
func values(v *kong.Value) []string {
	if v.Enum == "" {
		return offered(v.Tag.Get("offer"))
	}
	var list []string
	for _, word := range v.EnumSlice() {
		if word != "" {
			list = append(list, word)
		}
	}
	return list
}

// offered are the words behind the tag of that name: of a flag whose words come
// from elsewhere, or that takes others too.
func offered(tag string) []string {
	if kind, ok := strings.CutSuffix(tag, " formats"); ok {
		return strings.Split(report.FormatNames(kind), ", ")
	}
	switch tag {
	case "dialects":
		return dialectNames()
	case "engines":
		return engineNames()
	}
	return strings.Fields(tag)
}

func dialectNames() []string {
	var names []string
	for _, d := range netpol.Dialects() {
		names = append(names, d.Name)
	}
	return names
}

func engineNames() []string {
	var names []string
	for _, e := range caps.Engines() {
		names = append(names, e.Name)
	}
	return names
}

// bashScript is a function that finds the command among the words before the
// cursor, and offers what that command takes. Where it offers nothing, the
// shell completes file names.
func bashScript(w io.Writer, root *kong.Node) {
	fmt.Fprint(w, `_advisor() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path= word offer=
  COMPREPLY=()
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
    *" --") return ;;
`)
	for _, n := range commands(root)[1:] {
		fmt.Fprintf(w, "    %q) path=%[1]q ;;\n", pathOf(n))
	}
	fmt.Fprint(w, "    esac\n  done\n  case \"$path $prev\" in\n")
	for _, n := range commands(root) {
		bashValues(w, n)
	}
	fmt.Fprint(w, "  esac\n  test -n \"$offer\" || case \"$path\" in\n")
	for _, n := range commands(root) {
		fmt.Fprintf(w, "  %q) offer=%q ;;\n", pathOf(n), strings.Join(offers(n), " "))
	}
	fmt.Fprint(w, `  esac
  COMPREPLY=($(compgen -W "$offer" -- "$cur"))
}
complete -o default -F _advisor advisor
`)
}

// bashValues are the cases in which the word before the cursor is a flag that
// wants a value.
func bashValues(w io.Writer, n *kong.Node) {
	var free []string // flags that take any value
	for _, f := range flagsOf(n) {
		var patterns []string
		for _, spelling := range spellings(f) {
			patterns = append(patterns, fmt.Sprintf("%q", pathOf(n)+" "+spelling))
		}
		switch list := values(f.Value); {
		case f.IsBool():
		case len(list) == 0:
			free = append(free, patterns...)
		default:
			fmt.Fprintf(w, "  %s) offer=%q ;;\n", strings.Join(patterns, " | "), strings.Join(list, " "))
		}
	}
	if len(free) > 0 {
		fmt.Fprintf(w, "  %s) return ;;\n", strings.Join(free, " | "))
	}
}

// offers are the words that may come next in a command.
func offers(n *kong.Node) []string {
	var list []string
	for _, child := range n.Children {
		if !child.Hidden {
			list = append(list, child.Name)
		}
	}
	for _, p := range n.Positional {
		list = append(list, values(p)...)
	}
	for _, f := range flagsOf(n) {
		list = append(list, "--"+f.Name)
	}
	return list
}

// fishScript is a function that finds the command, and a line for each thing
// that a command takes.
func fishScript(w io.Writer, root *kong.Node) {
	fmt.Fprint(w, `function __advisor_at
    set -l path
    for word in (commandline -opc)[2..-1]
        switch "$path $word"
`)
	for _, n := range commands(root)[1:] {
		fmt.Fprintf(w, "            case '%s'\n                set path '%[1]s'\n", pathOf(n))
	}
	fmt.Fprint(w, "        end\n    end\n    test \"$path\" = \"$argv[1]\"\nend\n")
	for _, n := range commands(root) {
		fishCommand(w, n)
	}
}

func fishCommand(w io.Writer, n *kong.Node) {
	at := fmt.Sprintf("complete -c advisor -n \"__advisor_at '%s'\"", pathOf(n))
	for _, child := range n.Children {
		if !child.Hidden {
			fmt.Fprintf(w, "%s -f -a %s -d %s\n", at, child.Name, fishQuote(child.Help))
		}
	}
	for _, p := range n.Positional {
		if list := values(p); len(list) > 0 {
			fmt.Fprintf(w, "%s -f -a %s\n", at, fishQuote(strings.Join(list, " ")))
		}
	}
	for _, f := range flagsOf(n) {
		fmt.Fprintf(w, "%s%s -d %s\n", at, fishFlag(f), fishQuote(f.Help))
	}
}

func fishFlag(f *kong.Flag) string {
	text := " -l " + f.Name
	if f.Short != 0 {
		text += " -s " + string(f.Short)
	}
	switch list := values(f.Value); {
	case f.IsBool():
		return text
	case len(list) > 0:
		return text + " -x -a " + fishQuote(strings.Join(list, " "))
	}
	return text + " -r"
}

// fishQuote makes one word of a text.
func fishQuote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}
