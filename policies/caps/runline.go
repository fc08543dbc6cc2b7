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

// word is one argument: its text with quotes removed, empty where the shell
// would expand it, and its place.
type word struct {
	text string
	at   policies.Position
}

func runLine(file string, call *syntax.CallExpr) (Declared, bool) {
	words := make([]word, len(call.Args))
	for i, arg := range call.Args {
		at := policies.Position{File: file, Line: int(arg.Pos().Line()), Column: int(arg.Pos().Col())}
		words[i] = word{plain(arg.Parts), at}
	}
	for i, w := range words {
		engine := path.Base(w.text)
		if engine != "docker" && engine != "podman" || i+1 >= len(words) {
			continue
		}
		rest := words[i+1:]
		if rest[0].text == "container" {
			rest = rest[1:]
		}
		if len(rest) > 0 && (rest[0].text == "run" || rest[0].text == "create") {
			return runFlags(engine, rest[0].at, rest[1:]), true
		}
	}
	return Declared{}, false
}

// plain is the text of a word without expansions, else empty.
func plain(parts []syntax.WordPart) string {
	var b strings.Builder
	for _, part := range parts {
		switch part := part.(type) {
		case *syntax.Lit:
			b.WriteString(strings.ReplaceAll(part.Value, "\\\n", ""))
		case *syntax.SglQuoted:
			b.WriteString(part.Value)
		case *syntax.DblQuoted:
			b.WriteString(plain(part.Parts))
		default:
			return ""
		}
	}
	return b.String()
}

// runFlags reads the flags up to the image.
func runFlags(engine string, at policies.Position, words []word) Declared {
	d := Declared{
		Workload: policies.Workload{Kind: policies.KindImage}, Engine: engine, Role: RoleContainer,
		Position: at, At: map[string]policies.Position{},
	}
	for len(words) > 0 && strings.HasPrefix(words[0].text, "-") {
		flag, value, has := strings.Cut(words[0].text, "=")
		at, used := words[0].at, 1
		if !has && !isSwitch(flag) && len(words) > 1 {
			value, at, used = words[1].text, words[1].at, 2
		}
		d.setFlag(flag, value, at)
		words = words[used:]
	}
	if engine == "podman" && is(d.ReadOnlyRootFilesystem) && !d.bare {
		d.Writable = append(d.Writable, "/run", "/tmp", "/var/tmp") // podman-run(1), --read-only-tmpfs
	}
	if len(words) > 0 && d.Workload.Name == "" {
		d.Workload.Name = words[0].text
	}
	return d
}

// isSwitch knows the flags that take no value (docker-run(1), podman-run(1)).
// Short ones may stand together, and all but the last are then switches.
func isSwitch(flag string) bool {
	if short, ok := strings.CutPrefix(flag, "-"); ok && !strings.HasPrefix(short, "-") {
		return short != "" && strings.ContainsAny(short[len(short)-1:], "ditPq")
	}
	return slices.Contains([]string{
		"--detach", "--init", "--interactive", "--no-healthcheck", "--no-hosts", "--oom-kill-disable",
		"--privileged", "--publish-all", "--quiet", "--read-only", "--read-only-tmpfs", "--replace",
		"--rm", "--rmi", "--sig-proxy", "--tls-verify", "--tty", "--use-api-socket",
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
