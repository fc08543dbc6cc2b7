package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// completionCmd prints a script that completes commands, flags and their
// values. It is made from the grammar, so that it cannot fall behind.
type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run prints the script.
func (c *completionCmd) Run(s streams, app *kong.Application) error {
	var b strings.Builder
	switch c.Shell {
	case "fish":
		fishCompletion(&b, app)
	case "zsh":
		b.WriteString("#compdef advisor\nautoload -U +X bashcompinit && bashcompinit\n")
		bashCompletion(&b, app)
	default:
		bashCompletion(&b, app)
	}
	_, err := io.WriteString(s.out, b.String())
	return err
}

// words is what may follow a command: its commands, or its flags.
type words struct {
	path  string // "report seccomp", empty for the program itself
	subs  []*kong.Node
	flags []*kong.Flag
}

// vocabulary lists every command with what may follow it.
func vocabulary(app *kong.Application) []words {
	var list []words
	var walk func(path string, n *kong.Node)
	walk = func(path string, n *kong.Node) {
		w := words{path: path}
		for _, group := range n.AllFlags(true) {
			w.flags = append(w.flags, group...)
		}
		for _, child := range n.Children {
			if child.Type == kong.CommandNode && !child.Hidden {
				w.subs = append(w.subs, child)
			}
		}
		list = append(list, w)
		for _, child := range w.subs {
			walk(strings.TrimSpace(path+" "+child.Name), child)
		}
	}
	walk("", app.Node)
	return list
}

// bashCompletion finds the longest command on the line, then offers what may
// follow it, and files.
func bashCompletion(b *strings.Builder, app *kong.Application) {
	b.WriteString("_advisor() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path= word\n")
	b.WriteString("\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n\t\tcase \"$path $word\" in\n")
	for _, w := range vocabulary(app)[1:] {
		parent, name := "", w.path
		if i := strings.LastIndexByte(w.path, ' '); i >= 0 {
			parent, name = w.path[:i], w.path[i+1:]
		}
		fmt.Fprintf(b, "\t\t%q) path=%q ;;\n", parent+" "+name, w.path)
	}
	b.WriteString("\t\tesac\n\tdone\n\tcase \"$path:$prev\" in\n")
	for _, w := range vocabulary(app) {
		for _, f := range w.flags {
			if values := choices(f); len(values) > 0 {
				fmt.Fprintf(b, "\t%q) COMPREPLY=($(compgen -W %q -- \"$cur\")); return ;;\n",
					w.path+":--"+f.Name, strings.Join(values, " "))
			}
		}
	}
	b.WriteString("\tesac\n\tcase \"$path\" in\n")
	for _, w := range vocabulary(app) {
		fmt.Fprintf(b, "\t%q) COMPREPLY=($(compgen -W %q -- \"$cur\")) ;;\n", w.path, strings.Join(w.list(), " "))
	}
	b.WriteString("\tesac\n\t[[ $cur == -* ]] || COMPREPLY+=($(compgen -f -- \"$cur\"))\n}\n")
	b.WriteString("complete -o filenames -F _advisor advisor\n")
}

// list is the names of commands, then of flags.
func (w words) list() []string {
	var list []string
	for _, n := range w.subs {
		list = append(list, n.Name)
	}
	for _, f := range w.flags {
		if !f.Hidden {
			list = append(list, "--"+f.Name)
		}
	}
	return list
}

// choices are the values a flag takes, where the grammar says so.
func choices(f *kong.Flag) []string {
	var list []string
	for _, v := range f.EnumSlice() {
		if v != "" {
			list = append(list, v)
		}
	}
	return list
}

func fishCompletion(b *strings.Builder, app *kong.Application) {
	for _, w := range vocabulary(app) {
		condition := "__fish_use_subcommand"
		if w.path != "" {
			parts := strings.Fields(w.path)
			condition = "__fish_seen_subcommand_from " + strings.Join(parts, "; and __fish_seen_subcommand_from ")
		}
		for _, n := range w.subs {
			fmt.Fprintf(b, "complete -c advisor -n %s -f -a %s -d %s\n", fish(condition), n.Name, fish(n.Help))
		}
		for _, f := range w.flags {
			fmt.Fprintf(b, "complete -c advisor -n %s -l %s", fish(condition), f.Name)
			if f.Short != 0 {
				fmt.Fprintf(b, " -s %c", f.Short)
			}
			if values := choices(f); len(values) > 0 {
				fmt.Fprintf(b, " -x -a %s", fish(strings.Join(values, " ")))
			}
			fmt.Fprintf(b, " -d %s\n", fish(f.Help))
		}
	}
}

// fish is a string as fish takes it, in single quotes.
func fish(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
