// Advisor records what containers do and synthesizes the tightest policies
// that still let them work. It is the command line only: the grammar, the exit
// codes and the hints. Stdout carries the result and nothing else; everything
// said to a person goes to stderr, each line beginning with "advisor: ".
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if first, code := firstProcess(); first {
		os.Exit(code)
	}
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	// A terminal that is closed ends the work in order too, but not under nohup.
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	// The first signal ends the work in order; with the handler gone, a second
	// one ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}
