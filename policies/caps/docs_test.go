package caps

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the tables of the documentation")

const page = "../../docs/capabilities.md"

// TestDocumentedTables holds the tables of the documentation against the data.
func TestDocumentedTables(t *testing.T) {
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	want := between(t, between(t, text, "sites", siteTable()), "groups", groupTable())
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("run go test -update (-want +got)\n%s", diff)
	}
}

// between puts a table between the comment that names it and the next end.
func between(t *testing.T, text, name, table string) string {
	t.Helper()
	before, rest, ok := strings.Cut(text, "<!-- "+name+" -->\n")
	_, after, end := strings.Cut(rest, "<!-- end -->")
	if !ok || !end {
		t.Fatalf("%s has no place for %s", page, name)
	}
	return before + "<!-- " + name + " -->\n" + table + "<!-- end -->" + after
}

func siteTable() string {
	var b strings.Builder
	b.WriteString("| asks for | in | meaning | because | source |\n| --- | --- | --- | --- | --- |\n")
	for _, s := range CallSites() {
		names := "any"
		if len(s.Names) > 0 {
			names = code(s.Names)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n",
			names, code(s.Functions), s.Meaning, s.Reason, s.Source)
	}
	return b.String()
}

func groupTable() string {
	var b strings.Builder
	b.WriteString("| in this order | in | source |\n| --- | --- | --- |\n")
	for _, g := range Groups() {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", code(g.AnyOf), code(g.Functions), g.Source)
	}
	return b.String()
}

func code(names []string) string { return "`" + strings.Join(names, "` `") + "`" }
