package manifest

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSyntaxLine holds the line at which what is not YAML is told.
func TestSyntaxLine(t *testing.T) {
	for text, want := range map[string]string{
		"a: b\n- c\n":                                "x:2: ",
		"a: b\n---\nkind: Pod\n- x: [\n":             "x:4: ",
		"a: b\nb: {c: d\ne: f\n":                     "x:2: ",
		"a:\n  b: c\n d: e\n":                        "x:3: ",
		"# nothing\n\na: b: c\n":                     "x:3: ",
		strings.Repeat("a: b\n---\n", 300) + "- [\n": "x:601: ",
	} {
		_, errs := Read("x", []byte(text))
		if len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), want+"not YAML: ") {
			t.Errorf("%q: %v, want it at %s", text[max(0, len(text)-60):], errs, want)
		}
	}
}

// TestDocuments holds that no document of a file goes unread, however its
// beginning and its end are marked (YAML 1.2, chapter 9), and that each is at
// its line.
func TestDocuments(t *testing.T) {
	a, b := "kind: A\nmetadata: {name: a}\n", "kind: B\nmetadata: {name: b}\n"
	for name, c := range map[string]struct{ text, want string }{
		"separator":              {a + "---\n" + b, "A 1:1, B 4:1"},
		"comment behind":         {a + "--- # b\n" + b, "A 1:1, B 4:1"},
		"content behind":         {a + "--- {kind: B, metadata: {name: b}}\n", "A 1:1, B 3:5"},
		"content behind, twice":  {"--- {kind: A}\n--- {kind: B}\n", "A 1:5, B 2:5"},
		"tag behind":             {"--- !!map\n" + a, "A 1:5"},
		"end":                    {a + "...\n" + b, "A 1:1, B 4:1"},
		"end and separator":      {a + "...\n---\n" + b, "A 1:1, B 5:1"},
		"directive":              {"%YAML 1.1\n---\n" + a, "A 3:1"},
		"directive of a second":  {a + "...\n%YAML 1.1\n# why\n---\n" + b, "A 1:1, B 7:1"},
		"byte order mark":        {"\ufeff" + a, "A 1:1"},
		"mark before separator":  {"\ufeff---\n" + a, "A 2:1"},
		"lines of Windows":       {strings.ReplaceAll(a+"---\n"+b, "\n", "\r\n"), "A 1:1, B 4:1"},
		"no line end":            {a + "---\n" + strings.TrimSuffix(b, "\n"), "A 1:1, B 4:1"},
		"dashes in a text":       {"kind: A\nx: |\n  ---\n  ...\n", "A 1:1"},
		"dashes of a longer row": {"kind: A\n# ----\n", "A 1:1"},
		"JSON with tabs":         {"{\n\t\"kind\": \"A\"\n}\n", "A 1:1"},
	} {
		objects, errs := Read("x", []byte(c.text))
		var got []string
		for _, o := range objects {
			got = append(got, o.Kind+" "+strings.TrimPrefix(o.Position().String(), "x:"))
		}
		if diff := cmp.Diff(c.want, strings.Join(got, ", ")); diff != "" || len(errs) > 0 {
			t.Errorf("%s: errors %v (-want +got)\n%s", name, errs, diff)
		}
	}
}

// TestBadItem holds that a bad item of a list spoils neither those behind it nor
// the report of another bad one.
func TestBadItem(t *testing.T) {
	objects, errs := Read("x", []byte("kind: List\nitems:\n- text\n- {kind: A}\n- [1]\n- {kind: B}\n"))
	if len(objects) != 2 || len(errs) != 2 ||
		!strings.HasPrefix(errs[0].Error(), "x:3:3") || !strings.HasPrefix(errs[1].Error(), "x:5:3") {
		t.Errorf("got %d objects and %v", len(objects), errs)
	}
}

// TestTemplatedName holds that a chart's own file is known even where it
// happens to be YAML, and that texts for other programs are left alone.
func TestTemplatedName(t *testing.T) {
	_, errs := Read("x", []byte("kind: A\nmetadata:\n  name: \"{{ .Release.Name }}-web\"\n"))
	if len(errs) != 1 || !errors.Is(errs[0], ErrTemplate) {
		t.Errorf("got %v", errs)
	}
	objects, errs := Read("x", []byte("kind: A\nmetadata: {name: a}\ndata:\n  x: \"{{ .Labels }}\"\n"))
	if len(objects) != 1 || len(errs) != 0 {
		t.Errorf("got %d objects and %v", len(objects), errs)
	}
}

// TestKeysTwice holds that a key that stands twice is an error at its place, and
// that one that overrides what a mapping takes over is none.
func TestKeysTwice(t *testing.T) {
	_, errs := Read("x", []byte("kind: A\nspec:\n  a: 1\n  b: 2\n  a: 3\n"))
	if len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), `x:5:3: not YAML: key "a" already set`) {
		t.Errorf("got %v", errs)
	}
	objects, errs := Read("x", []byte("kind: A\nbase: &b {u: 1, v: 2}\nspec:\n  <<: *b\n  u: 3\n"))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if got := string(objects[0].JSON()); !strings.Contains(got, `"spec":{"u":3,"v":2}`) {
		t.Errorf("got %s", got)
	}
}
