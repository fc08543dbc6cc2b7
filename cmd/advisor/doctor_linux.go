package main

import (
	"context"
	"fmt"

	"advisor/monitor"
)

// Run prints a line for each thing that was looked at, and what to do where
// one is missing. It ends with 2 where something that recording cannot do
// without is missing.
func (doctorCmd) Run(ctx context.Context, s streams) error {
	missing := 0
	for _, c := range monitor.Probe(ctx) {
		mark := "ok"
		switch {
		case !c.OK && c.Needed:
			mark = "MISSING"
			missing++
		case !c.OK:
			mark = "without"
		}
		fmt.Fprintf(s.out, "%-8s %s: %s\n", mark, c.Name, c.Detail)
		if c.Fix != "" {
			fmt.Fprintf(s.out, "%-8s   %s\n", "", c.Fix)
		}
	}
	if missing > 0 {
		s.say("recording does not work here; report, diff, compare and trace do")
		return exitCode(exitError)
	}
	s.say("recording works here")
	return nil
}
