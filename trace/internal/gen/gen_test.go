//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTablesAreFresh fails when golang.org/x/sys has moved on and the tables
// have not: run "go generate ./trace".
func TestTablesAreFresh(t *testing.T) {
	sys, err := moduleDir("golang.org/x/sys")
	if err != nil {
		t.Fatal(err)
	}
	files, err := Tables(filepath.Join(sys, "unix"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is stale (-want +got):\n%s", name, diff)
		}
	}
}
