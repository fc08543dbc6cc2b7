package trace_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"advisor/trace"
)

// TestReference holds docs/trace.md against the records: every type and field
// is there, and every example is a line that this package reads in full.
func TestReference(t *testing.T) {
	text, err := os.ReadFile("../docs/trace.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range []trace.Record{
		new(trace.Header), new(trace.Container), new(trace.Syscall), new(trace.Capability),
		new(trace.Connect), new(trace.Accept), new(trace.Listen), new(trace.Denied), new(trace.Counts),
		new(trace.Exit), new(trace.Loss), new(trace.Last), new(trace.Exec), new(trace.File),
		new(trace.End),
	} {
		_, section, found := strings.Cut(string(text), "\n### `"+rec.Type()+"`\n")
		if !found {
			t.Errorf("no section about %s", rec.Type())
			continue
		}
		section, _, _ = strings.Cut(section, "\n### ")
		prose, examples := split(section)
		for _, name := range names(reflect.TypeOf(rec).Elem()) {
			if !strings.Contains(prose, "`"+name+"`") {
				t.Errorf("%s: nothing is said of %s", rec.Type(), name)
			}
			if !strings.Contains(examples, `"`+name+`":`) && !rare[name] {
				t.Errorf("%s: no example of %s", rec.Type(), name)
			}
		}
		checkExamples(t, rec.Type(), examples)
	}
	whole := regexp.MustCompile("(?s)```json\n(.*?)```").FindStringSubmatch(string(text))
	if got := outcomeOf(strings.NewReader(whole[1])); got.End != "EOF" || got.Missing+got.Fields > 0 || len(got.Bad) > 0 {
		t.Errorf("the first example: %+v", got)
	}
}

// rare fields need no example.
var rare = map[string]bool{"exe": true, "hostNetwork": true, "privileged": true}

func split(section string) (prose, examples string) {
	for i, part := range strings.Split(section, "```") {
		if i%2 == 0 {
			prose += part
		} else {
			examples += strings.TrimPrefix(part, "json\n")
		}
	}
	return prose, examples
}

func checkExamples(t *testing.T, kind, examples string) {
	for line := range strings.Lines(examples) {
		got := outcomeOf(strings.NewReader(header + line))
		if kind == "header" {
			got = outcomeOf(strings.NewReader(line))
		}
		if got.Fields+got.Records > 0 || len(got.Bad) > 0 || !strings.HasSuffix(got.Types, kind) {
			t.Errorf("%s: an example is not read in full: %+v\n%s", kind, got, line)
		}
	}
}

// names are those of a type's members, and of theirs.
func names(in reflect.Type) []string {
	var list []string
	for field := range in.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "" {
			list = append(list, name)
		}
		inner := field.Type
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && inner != reflect.TypeFor[time.Time]() {
			list = append(list, names(inner)...)
		}
	}
	return list
}
