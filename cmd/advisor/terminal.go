package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// isTerminal says that a person looks at what is written to w.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
