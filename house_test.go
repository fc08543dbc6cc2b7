package advisor_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Limits of the house. They are high enough that nothing should come near.
const (
	maxFileLines     = 500
	maxFunctionLines = 60
)

// TestHouse holds what CONTRIBUTING.md says of the shape of the code.
func TestHouse(t *testing.T) {
	fset := token.NewFileSet()
	documented := make(map[string]bool) // package directories with a package comment
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil || ast.IsGenerated(file) {
			return err
		}
		if !strings.HasSuffix(path, "_test.go") {
			dir := filepath.Dir(path)
			documented[dir] = documented[dir] || file.Doc != nil
			checkSource(t, fset, file)
		}
		checkLengths(t, fset, file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s: the package has no comment that says what it is", dir)
		}
	}
}

func checkLengths(t *testing.T, fset *token.FileSet, file *ast.File) {
	if n := fset.File(file.Pos()).LineCount(); n > maxFileLines {
		t.Errorf("%s: %d lines, more than %d", fset.Position(file.Pos()), n, maxFileLines)
	}
	for _, decl := range file.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		lines := fset.Position(fn.End()).Line - fset.Position(fn.Pos()).Line + 1
		if lines > maxFunctionLines {
			t.Errorf("%s: %s has %d lines, more than %d",
				fset.Position(fn.Pos()), fn.Name.Name, lines, maxFunctionLines)
		}
	}
}

// checkSource is about code that is not a test.
func checkSource(t *testing.T, fset *token.FileSet, file *ast.File) {
	switch name := file.Name.Name; name {
	case "util", "utils", "common", "types", "helpers", "manager", "handler":
		t.Errorf("%s: %s says nothing as a package's name", fset.Position(file.Pos()), name)
	}
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			checkFunction(t, fset, file, decl)
		case *ast.GenDecl:
			checkTypes(t, fset, decl)
		}
	}
	for _, comment := range file.Comments {
		for _, word := range []string{"TODO", "FIXME", "XXX"} {
			if strings.Contains(comment.Text(), word) {
				t.Errorf("%s: %s in a comment", fset.Position(comment.Pos()), word)
			}
		}
	}
}

func checkFunction(t *testing.T, fset *token.FileSet, file *ast.File, fn *ast.FuncDecl) {
	at := fset.Position(fn.Pos())
	if fn.Name.Name == "init" && fn.Recv == nil {
		t.Errorf("%s: an init function", at)
	}
	oneLine := fset.Position(fn.End()).Line == at.Line // a row of methods shares one comment
	exported := fn.Name.IsExported() && (fn.Recv == nil || exportedReceiver(fn.Recv) && !oneLine)
	if exported && fn.Doc == nil {
		t.Errorf("%s: %s is exported and has no comment", at, fn.Name.Name)
	}
	if fn.Name.Name == "main" && file.Name.Name == "main" {
		return
	}
	ast.Inspect(fn, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if ok && sel.Sel.Name == "Exit" {
			if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "os" {
				t.Errorf("%s: os.Exit outside main", fset.Position(n.Pos()))
			}
		}
		return true
	})
}

func checkTypes(t *testing.T, fset *token.FileSet, decl *ast.GenDecl) {
	for _, spec := range decl.Specs {
		spec, ok := spec.(*ast.TypeSpec)
		if ok && spec.Name.IsExported() && decl.Doc == nil && spec.Doc == nil && spec.Comment == nil {
			t.Errorf("%s: %s is exported and has no comment", fset.Position(spec.Pos()), spec.Name.Name)
		}
	}
}

func exportedReceiver(recv *ast.FieldList) bool {
	typ := recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if index, ok := typ.(*ast.IndexExpr); ok {
		typ = index.X
	}
	name, ok := typ.(*ast.Ident)
	return ok && name.IsExported()
}

// TestEveryPackageIsTested holds that the two lists of "make test" name every
// package.
func TestEveryPackageIsTested(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	var patterns []string
	for line := range strings.Lines(string(makefile)) {
		for _, name := range []string{"alone = ", "beside = "} {
			if list, ok := strings.CutPrefix(line, name); ok {
				patterns = append(patterns, strings.Fields(list)...)
			}
		}
	}
	tested := golist(t, patterns...)
	for _, pkg := range golist(t, "./...") {
		if !contains(tested, pkg) {
			t.Errorf("make test leaves out %s", pkg)
		}
	}
}

// TestNoSilentSkip holds that a test which cannot run here fails where
// ADVISOR_REQUIRE_BPF says that everything is there, and that those which are
// only run on demand name what asks for them.
func TestNoSilentSkip(t *testing.T) {
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(fset, path, source, 0)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || !skips(fn) {
				continue
			}
			text := string(source[fset.Position(fn.Pos()).Offset:fset.Position(fn.End()).Offset])
			if !asks(text) {
				t.Errorf("%s: %s skips, whoever asked: call bed.Require or bed.Skip",
					fset.Position(fn.Pos()), fn.Name.Name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// skips tells whether fn calls Skip of a test itself.
func skips(fn *ast.FuncDecl) bool {
	found := false
	ast.Inspect(fn, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok && strings.HasPrefix(sel.Sel.Name, "Skip") {
			on, ok := sel.X.(*ast.Ident)
			found = found || ok && (on.Name == "t" || on.Name == "b" || on.Name == "tb")
		}
		return true
	})
	return found
}

// asks tells whether code that skips looks at what was asked for: a variable of
// ours, or go test's -short. Fuzzing skips inputs, not tests.
func asks(text string) bool {
	for _, word := range []string{"ADVISOR_", "RequireVariable", "testing.Short()", "f.Fuzz("} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}
