package main

// grammar is the command line. Each command is a struct with a Run method.
type grammar struct {
	Version versionCmd `cmd:"" help:"Say which advisor this is."`
}
