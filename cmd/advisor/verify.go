package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"advisor/policies/caps"
)

// verifyCmd runs a workload under its policies, with and without each part.
type verifyCmd struct {
	output
	Docker       bool          `help:"The arguments are those of docker run, with image and command."`
	User         string        `placeholder:"USER[:GROUP]" help:"Run the command as this user, by name or number."`
	Probe        string        `placeholder:"CMD" help:"A shell command that uses the workload and exits 0 if it works; $ADVISOR_ADDRESS is a container's address. Without it the workload has to end with 0."`
	Within       time.Duration `default:"10s" placeholder:"D" help:"How long each run may take."`
	Capabilities []string      `placeholder:"NAME" help:"The list to verify. Without it the workload is recorded first."`
	Format       string        `enum:",text,json" default:"" placeholder:"FORMAT" help:"text or json; default: json for a file, for advisor report caps --verified, and text elsewhere."`
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

// json says that the result is not for people.
func (c *verifyCmd) json() bool { return c.Format == "json" || c.Format == "" && !c.toStdout() }

// verifiedText is the result for people.
func verifiedText(v caps.Verified) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-20s %-12s %s\n", "CAPABILITY", "INFERRED", "VERIFIED")
	for _, t := range v.Verdicts {
		what := "not needed   the workload passes without it"
		if t.Necessary {
			what = "necessary    " + t.Reason
		}
		fmt.Fprintf(&b, "%-20s %-12s %s\n", t.Name, orDash(v.Inferred[t.Name].Class), what)
	}
	for _, r := range v.Restrictions {
		what := "passes"
		if !r.Passed {
			what = "fails        " + r.Reason
		}
		if len(r.Tmpfs) > 0 {
			what += " (tmpfs at " + strings.Join(r.Tmpfs, ", ") + ")"
		}
		fmt.Fprintf(&b, "%-20s %-12s %s\n", r.Name, "", what)
	}
	fmt.Fprintf(&b, "least: %s\n", cmp.Or(strings.Join(v.Least, ", "), "none"))
	return b.String()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
