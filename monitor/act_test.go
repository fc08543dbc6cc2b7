package monitor

import (
	"fmt"
	"os"
)

// act is what this test binary does in a container: one known thing.
func act(args []string) int {
	switch args[0] {
	case "nothing":
		return 0
	}
	fmt.Fprintln(os.Stderr, "unknown act", args)
	return 2
}
