package main

import (
	"errors"
	"fmt"
	"time"
)

// verifyCmd runs a workload under its policies, with and without each part.
type verifyCmd struct {
	Docker       bool          `help:"The arguments are those of docker run, with image and command."`
	Probe        string        `placeholder:"CMD" help:"A shell command that uses the workload and exits 0 if it works; $ADVISOR_ADDRESS is a container's address. Without it the workload has to end with 0."`
	Within       time.Duration `default:"10s" placeholder:"D" help:"How long each run may take."`
	Capabilities []string      `placeholder:"NAME" help:"The list to verify. Without it the workload is recorded first."`
	Format       string        `enum:"text,json" default:"text" help:"text or json."`
	Seccomp      bool          `negatable:"" default:"true" help:"Run it under the seccomp profile from its recording too."`
	Verbose      bool          `short:"v" help:"Show what the workload and the probe write."`

	Command []string `arg:"" optional:"" passthrough:"" name:"command" help:"After '--': the command to verify, or the arguments of docker run."`
}

// workload is what stands behind "--".
func (c *verifyCmd) workload() ([]string, error) {
	args := c.Command
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		what := "-- COMMAND"
		if c.Docker {
			what = "--docker -- IMAGE"
		}
		return nil, hint(errors.New("expected something to verify"),
			"advisor verify --probe 'curl -fs localhost' %s", what)
	}
	return args, nil
}

// inferred is what the recording says of a capability, for the table.
type inferred struct {
	Class string `json:"class,omitempty"` // empty where nothing was recorded
	Why   string `json:"why,omitempty"`
}

// verdictLine is one capability in text.
func verdictLine(name string, in inferred, necessary bool, reason string) string {
	line := fmt.Sprintf("%-20s %-12s ", name, orDash(in.Class))
	if necessary {
		return line + "necessary    " + reason
	}
	return line + "not needed   the workload passes without it"
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
