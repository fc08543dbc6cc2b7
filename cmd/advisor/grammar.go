package main

// grammar is the command line. Each command is a struct with a Run method.
type grammar struct {
	Monitor    monitorCmd    `cmd:"" help:"Record what containers do."`
	Report     reportCmd     `cmd:"" help:"Turn traces into policies."`
	Verify     verifyCmd     `cmd:"" help:"Run a workload under its policies, with and without each part."`
	Diff       diffCmd       `cmd:"" help:"Hold what was observed against what manifests declare."`
	Compare    compareCmd    `cmd:"" help:"Say what changes between two sets of declared policies."`
	Render     renderCmd     `cmd:"" help:"Show a saved report in another form."`
	Netpol     netpolCmd     `cmd:"" help:"Ask what declared network policies mean."`
	Seccomp    seccompCmd    `cmd:"" help:"Ask what seccomp profiles mean, compare, merge and convert them."`
	Caps       capsCmd       `cmd:"" help:"Ask what declared capabilities come to."`
	Trace      traceCmd      `cmd:"" help:"Look at traces and check them."`
	Doctor     doctorCmd     `cmd:"" help:"Say what this machine has for recording, and what is missing."`
	Completion completionCmd `cmd:"" help:"Print a script that completes this in a shell."`
	Version    versionCmd    `cmd:"" help:"Say which advisor this is."`
}
