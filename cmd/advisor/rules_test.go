package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"advisor/policies"
	"advisor/report"
)

// TestRulesReference holds the reference of rules against the table it is made
// from.
func TestRulesReference(t *testing.T) { held(t, "../../docs/rules.md", rulesPage()) }

func rulesPage() []byte {
	var b bytes.Buffer
	fmt.Fprint(&b, "# Rules\n\nWhat `advisor diff` can find. The class decides whether it fails, "+
		"see [exit codes](exit-codes.md).\n"+
		"A rule's id goes into the ignore file, see [the check in CI](ci.md).\n"+
		"Made from the program's table: `go test ./cmd/advisor -update` writes this page.\n")
	for _, kind := range []string{"seccomp", "netpol", "caps", "workload", "manifest"} {
		fmt.Fprintf(&b, "\n## %s\n\n| rule | class | level | what it is | what to do |\n"+
			"| --- | --- | --- | --- | --- |\n", kind)
		for _, r := range report.Rules() {
			if strings.HasPrefix(r.ID, kind+"/") {
				fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n",
					r.ID, r.Class, level(r.Class), r.Short, r.Help)
			}
		}
	}
	return b.Bytes()
}

// level is what the outputs for forges call a class.
func level(c policies.Class) string {
	switch c {
	case policies.Missing, policies.Invalid:
		return "error"
	case policies.Unprotected, policies.Excess:
		return "warning"
	}
	return "note"
}

// TestRulesComplete looks for ids of rules in the source: each one that a
// finding can bear is in the table, and the table has no other.
func TestRulesComplete(t *testing.T) {
	inSource := make(map[string]string)
	for _, dir := range []string{"../../policies", "../../report"} {
		idsIn(t, dir, inSource)
	}
	inTable := make(map[string]bool)
	for _, r := range report.Rules() {
		inTable[r.ID] = true
		if inSource[r.ID] == "" {
			t.Errorf("no finding bears %s", r.ID)
		}
		if r.Short == "" || r.Help == "" || strings.Contains(r.Short+r.Help, "|") {
			t.Errorf("%s has no text for a table", r.ID)
		}
	}
	for id, at := range inSource {
		if !inTable[id] && !beginsRule(id) {
			t.Errorf("%s: rule %s is not in report.Rules", at, id)
		}
	}
}

var ruleID = regexp.MustCompile(`^(seccomp|netpol|caps|workload|manifest)/[a-z-]+$`)

// beginsRule says that ids in the table begin so: the source asks for several.
func beginsRule(text string) bool {
	return slices.ContainsFunc(report.Rules(), func(r report.Rule) bool {
		return strings.HasPrefix(r.ID, text+"-")
	})
}

// idsIn adds the ids of rules that the source below a directory has, apart
// from the table itself, with where each stands.
func idsIn(t *testing.T, dir string, ids map[string]string) {
	t.Helper()
	fset := token.NewFileSet()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") ||
			strings.HasSuffix(filepath.ToSlash(path), "report/rules.go") {
			return err
		}
		file, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			for _, id := range idsOf(n) {
				ids[id] = fset.Position(n.Pos()).String()
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// idsOf are the ids that a piece of source has: a string that looks like one,
// or the second argument of a call of finding, which adds "netpol/".
func idsOf(n ast.Node) []string {
	switch n := n.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(n.Value); err == nil && ruleID.MatchString(text) {
			return []string{text}
		}
	case *ast.CallExpr:
		method, ok := n.Fun.(*ast.SelectorExpr)
		if !ok || method.Sel.Name != "finding" || len(n.Args) < 2 {
			return nil
		}
		if lit, ok := n.Args[1].(*ast.BasicLit); ok && lit.Kind == token.STRING {
			text, _ := strconv.Unquote(lit.Value)
			return []string{"netpol/" + text}
		}
	}
	return nil
}
