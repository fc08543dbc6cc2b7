package main

import (
	"cmp"
	"encoding/json"
	"os/exec"
	"path/filepath"

	"advisor/policies"
	"advisor/policies/caps"
	"advisor/verify"
)

// result is what is written down of an experiment.
type result struct{ caps.Verified }

// subject is the result before anything is known but what is run.
func (c *verifyCmd) subject(o verify.Options) *result {
	v := caps.Verified{Schema: caps.VerifiedSchema, Advisor: version(), Probe: c.Probe, User: o.User}
	if len(o.Command) > 0 {
		if path, err := exec.LookPath(o.Command[0]); err == nil {
			v.Command, _ = filepath.Abs(path)
		}
		v.Workload = policies.Workload{Kind: policies.KindCommand, Name: filepath.Base(o.Command[0])}
	}
	return &result{v}
}

// observed takes over who the recording says was run.
func (r *result) observed(seen policies.Observation) {
	r.Workload = seen.Workload
	r.Image = seen.Containers[0].Image
	r.Command = cmp.Or(seen.Containers[0].Command, r.Command)
}

// found takes over what the experiment came to.
func (r *result) found(o verify.Options, found verify.Result) {
	r.NoNewPrivileges, r.Seccomp = o.NoNewPrivileges, o.Seccomp != "" || len(o.Filter) > 0
	if r.Image == "" && found.Image != "" {
		r.Image = found.Image
		r.Workload = policies.Workload{Kind: policies.KindImage, Name: found.Image}
	}
	r.Verdicts = []caps.Trial{}
	for _, v := range found.Verdicts {
		r.Verdicts = append(r.Verdicts, caps.Trial(v))
	}
	for _, outcome := range found.Restrictions {
		r.Restrictions = append(r.Restrictions, caps.Restriction(outcome))
	}
	r.Least, r.Runs = found.Least, found.Runs
}

// print writes the result where it belongs. Who has it written to a file still
// sees what it is.
func (c *verifyCmd) print(s streams, v caps.Verified) error {
	if !c.json() {
		return c.write(s, []document{{name: "verified.txt", body: []byte(verifiedText(v))}})
	}
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if !c.toStdout() {
		s.say("%s", verifiedText(v))
	}
	return c.write(s, []document{{name: "verified.json", body: append(text, '\n')}})
}
