// Advisor records what containers do and synthesizes the tightest policies
// that still let them work.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
