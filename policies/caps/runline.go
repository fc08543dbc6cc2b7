package caps

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"advisor/policies"

	"mvdan.cc/sh/v3/syntax"
)

// ParseRun returns what the docker and podman commands in a shell script
// declare: run and create. It fails where the text is no shell script.
func ParseRun(file string, script []byte) ([]Declared, error) {
	parsed, err := syntax.NewParser().Parse(bytes.NewReader(script), file)
	if err != nil {
		return nil, fmt.Errorf("reading %s as a shell script: %w", file, err)
	}
	var list []Declared
	syntax.Walk(parsed, func(node syntax.Node) bool {
		if call, ok := node.(*syntax.CallExpr); ok {
			if d, ok := runLine(file, call); ok {
				list = append(list, d)
			}
		}
		return true
	})
	return list, nil
}

// word is one argument: its text with quotes removed and its place. One that is
// open goes on with what the shell would expand.
type word struct {
	text string
	open bool
	at   policies.Position
}

func runLine(file string, call *syntax.CallExpr) (Declared, bool) {
	words := make([]word, len(call.Args))
	for i, arg := range call.Args {
		at := policies.Position{File: file, Line: int(arg.Pos().Line()), Column: int(arg.Pos().Col())}
		text, open := plain(arg.Parts)
		words[i] = word{text, open, at}
	}
	for i, w := range words {
		engine := path.Base(w.text)
		if engine != "docker" && engine != "podman" || i+1 >= len(words) {
			continue
		}
		rest := withoutGlobals(words[i+1:])
		if len(rest) > 0 && rest[0].text == "container" {
			rest = rest[1:]
		}
		if len(rest) > 0 && (rest[0].text == "run" || rest[0].text == "create") {
			return runFlags(engine, rest[0].at, rest[1:]), true
		}
	}
	return Declared{}, false
}

// withoutGlobals are the words behind the flags of docker and podman themselves.
func withoutGlobals(words []word) []word {
	for len(words) > 0 && strings.HasPrefix(words[0].text, "-") {
		_, _, has := strings.Cut(words[0].text, "=")
		switch {
		case has, slices.Contains([]string{
			"-D", "--debug", "--tls", "--tlsverify", "-r", "--remote", "--syslog", "--noout", "--transient-store",
		}, words[0].text), len(words) == 1:
			words = words[1:]
		default:
			words = words[2:]
		}
	}
	return words
}

// plain is the text of a word up to what the shell expands, and whether it does.
func plain(parts []syntax.WordPart) (text string, open bool) {
	var b strings.Builder
	for _, part := range parts {
		switch part := part.(type) {
		case *syntax.Lit:
			b.WriteString(strings.ReplaceAll(part.Value, "\\\n", ""))
		case *syntax.SglQuoted:
			b.WriteString(part.Value)
		case *syntax.DblQuoted:
			text, open := plain(part.Parts)
			if b.WriteString(text); open {
				return b.String(), true
			}
		default:
			return b.String(), true
		}
	}
	return b.String(), false
}

// runFlags reads the flags up to the image.
func runFlags(engine string, at policies.Position, words []word) Declared {
	d := Declared{
		Workload: policies.Workload{Kind: policies.KindImage}, Engine: engine, Role: RoleContainer,
		Position: at, At: map[string]policies.Position{},
	}
	for len(words) > 0 {
		if options := words[0].text == "" && words[0].open; options && len(words) > 1 && strings.HasPrefix(words[1].text, "--") {
			words = words[1:] // flags of which nothing is known
			continue
		}
		if !strings.HasPrefix(words[0].text, "-") {
			break
		}
		f := flagOf(words)
		if !f.open { // what a variable says is not known
			d.setFlag(f.name, f.value, f.at)
		}
		words = words[f.words:]
	}
	if engine == "podman" && is(d.ReadOnlyRootFilesystem) && !d.bare {
		d.Writable = append(d.Writable, "/run", "/tmp", "/var/tmp") // podman-run(1), --read-only-tmpfs
	}
	if len(words) > 0 && d.Workload.Name == "" {
		d.Workload = policies.Workload{Kind: policies.KindImage, Name: words[0].text}
	}
	return d
}

// runFlag is one flag with its value, which stands in the same word or in the next.
type runFlag struct {
	name, value string
	open        bool
	at          policies.Position
	words       int
}

// flagOf reads the flag that words begin with.
func flagOf(words []word) runFlag {
	first := words[0]
	f := runFlag{open: first.open, at: first.at, words: 1}
	var has bool
	f.name, f.value, has = strings.Cut(first.text, "=")
	if !strings.HasPrefix(first.text, "--") {
		f.name, f.value, has = shortFlag(first.text)
	}
	if has || first.open || isSwitch(f.name) || len(words) == 1 || isFlag(words[1].text) {
		return f
	}
	f.value, f.open, f.at, f.words = words[1].text, words[1].open, words[1].at, 2
	return f
}

// isFlag tells a flag from a negative number, which some flags take.
func isFlag(text string) bool {
	return len(text) > 1 && text[0] == '-' && (text[1] < '0' || text[1] > '9')
}

// shortFlag reads letters that stand together: switches, then one that takes what
// is behind it.
func shortFlag(text string) (name, value string, has bool) {
	letters := strings.TrimPrefix(text, "-")
	for i, letter := range letters {
		if name = "-" + string(letter); isSwitch(name) {
			continue
		}
		rest := letters[i+len(string(letter)):]
		return name, strings.TrimPrefix(rest, "="), rest != ""
	}
	return name, "", false
}

// isSwitch knows the flags that take no value (docker-run(1), podman-run(1)).
func isSwitch(flag string) bool {
	return slices.Contains([]string{
		"-d", "-i", "-t", "-P", "-q",
		"--detach", "--disable-content-trust", "--env-host", "--help", "--http-proxy", "--init", "--interactive",
		"--no-healthcheck", "--no-hostname", "--no-hosts", "--oom-kill-disable", "--passwd", "--privileged",
		"--publish-all", "--quiet", "--read-only", "--read-only-tmpfs", "--replace", "--rm", "--rmi", "--rootfs",
		"--sig-proxy", "--tls-verify", "--tty", "--unsetenv-all", "--use-api-socket",
	}, flag)
}

func (d *Declared) setFlag(flag, value string, at policies.Position) {
	yes := value != "false"
	switch flag {
	case "--cap-add", "--cap-drop":
		for _, text := range strings.Split(value, ",") {
			if flag == "--cap-add" {
				d.Add = append(d.Add, Name{text, at})
			} else {
				d.Drop = append(d.Drop, Name{text, at})
			}
		}
		d.At["capabilities"] = at
	case "--privileged":
		d.Privileged, d.At["privileged"] = &yes, at
	case "--read-only-tmpfs":
		d.bare = !yes
	case "--read-only":
		d.ReadOnlyRootFilesystem, d.At["readOnlyRootFilesystem"] = &yes, at
	case "--volume", "-v":
		d.mountVolume(value)
	case "--tmpfs":
		d.mountTmpfs(value)
	case "--mount":
		d.mountFields(value)
	case "--user", "-u":
		d.setUser(value)
		d.At["runAsUser"] = at
	case "--security-opt":
		d.setOption(value)
		d.At["allowPrivilegeEscalation"], d.At["seccompProfile"] = at, at
	case "--userns":
		d.UserNamespace = value != "host" && value != ""
	case "--name":
		d.Workload = policies.Workload{Kind: policies.KindContainer, Name: value}
	}
}
