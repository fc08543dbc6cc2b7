package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"advisor/policies/caps"
	"advisor/report"
)

// capsCmd asks what lists of capabilities mean.
type capsCmd struct {
	Held    capsHeldCmd    `cmd:"" help:"Say what the containers of manifests hold, as an engine resolves their lists."`
	Engines capsEnginesCmd `cmd:"" help:"List the engines, and what a container gets that says nothing."`
}

type capsHeldCmd struct {
	Manifests []string `arg:"" name:"manifests" help:"Manifests: files, directories, or '-' for stdin."`
	Namespace string   `short:"n" placeholder:"NAME" help:"Where manifests are applied that name no namespace themselves."`
	Engine    string   `placeholder:"NAME" offer:"engines" help:"The engine that runs the containers: ${engines}; default: the one that reads such manifests."`
	Format    string   `enum:"text,json" default:"text" help:"text or json."`
}

// Run prints the sets of each container.
func (c *capsHeldCmd) Run(s streams) error {
	m, err := report.LoadManifestsIn(c.Namespace, c.Manifests, s.in)
	if err = errors.Join(err, m.Unusable(report.KindCaps)); err != nil {
		return err
	}
	for _, p := range m.Wrong() {
		s.say("%s", p)
	}
	list, err := report.HeldBy(m, c.Engine)
	if err == nil && len(list) == 0 {
		err = errors.New("the manifests declare no container")
	}
	if err != nil {
		return err
	}
	text, err := c.render(list)
	if err == nil {
		_, err = s.out.Write(text)
	}
	if err == nil && len(m.Refused) > 0 {
		return exitCode(exitError)
	}
	return err
}

func (c *capsHeldCmd) render(list []report.Held) ([]byte, error) {
	if c.Format == "json" {
		return encoded(list)
	}
	var b bytes.Buffer
	for _, h := range list {
		if err := h.Text(&b); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

type capsEnginesCmd struct{}

// Run prints the engines with their default lists.
func (capsEnginesCmd) Run(s streams) error {
	for _, e := range caps.Engines() {
		if _, err := fmt.Fprintf(s.out, "%-11s %2d  %s\n", e.Name, len(e.Defaults), strings.Join(e.Defaults, ", ")); err != nil {
			return err
		}
	}
	return nil
}
