//go:build unix

// Command gen writes the tables of names in package trace: system calls of
// each audit architecture, capabilities and errno values. Their source is
// golang.org/x/sys/unix, in the version that go.mod names, which takes them
// from the kernel's own headers.
//
//	go run ./internal/gen -o .
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	_ "golang.org/x/sys/unix" // read below; the import keeps it in go.mod
)

func main() {
	dir := flag.String("o", ".", "write the tables into this `directory`")
	flag.Parse()
	if err := run(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	sys, err := moduleDir("golang.org/x/sys")
	if err != nil {
		return err
	}
	files, err := Tables(filepath.Join(sys, "unix"))
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// moduleDir is where the go command keeps the source of a module.
func moduleDir(module string) (string, error) {
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("finding the source of %s: %w", module, err)
	}
	dir := strings.TrimSpace(string(out))
	if dir == "" {
		return "", fmt.Errorf("the source of %s is not in the module cache", module)
	}
	return dir, nil
}
