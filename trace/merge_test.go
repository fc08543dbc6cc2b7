package trace_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"advisor/trace"
)

func mergeTexts(t *testing.T, texts ...string) (string, []string) {
	var out bytes.Buffer
	w := trace.NewWriter(&out)
	var m trace.Merge
	var bad []string
	for _, text := range texts {
		lines, err := m.Add(trace.NewReader(strings.NewReader(text), "t"))
		check(t, err)
		for _, line := range lines {
			bad = append(bad, line.Error())
		}
	}
	check(t, m.Write(w))
	check(t, w.Close())
	return out.String(), bad
}

// TestMergeFolds keeps each fact once, at its earliest, and sums what is counted.
func TestMergeFolds(t *testing.T) {
	const in = `{"type":"header","schema":"advisor.trace/v1","node":"n","start":"2026-01-01T00:00:00Z"}
{"type":"syscall","container":"c","phase":"run","arch":"x86_64","nr":1,"name":"write","time":"2026-01-01T00:00:09Z","pid":2,"comm":"a"}
{"type":"syscall","container":"c","phase":"run","arch":"x86_64","nr":1,"name":"write","time":"2026-01-01T00:00:07Z","pid":3,"comm":"a"}
{"type":"syscall","container":"c","phase":"run","arch":"x86_64","nr":1,"name":"write","time":"2026-01-01T00:00:08Z","pid":4,"comm":"b"}
{"type":"container","id":"c","name":"old"}
{"type":"counts","container":"c","counts":[{"fact":"f","count":2}]}
{"type":"counts","container":"c","counts":[{"fact":"e","count":1},{"fact":"f","count":3}]}
{"type":"container","id":"c","name":"new"}
{"type":"loss","probe":"network","stage":"map","count":2,"reason":"full"}
{"type":"loss","probe":"network","stage":"map","count":3,"reason":"full"}
{"type":"weather"}
?
{"type":"end","records":12,"lost":5,"complete":"false"}
`
	const want = `{"type":"header","schema":"advisor.trace/v1","node":"n","start":"2026-01-01T00:00:00Z"}
{"type":"container","id":"c","name":"new"}
{"type":"syscall","container":"c","phase":"run","arch":"x86_64","nr":1,"name":"write","time":"2026-01-01T00:00:07Z","pid":3,"comm":"a"}
{"type":"syscall","container":"c","phase":"run","arch":"x86_64","nr":1,"name":"write","time":"2026-01-01T00:00:08Z","pid":4,"comm":"b"}
{"type":"counts","container":"c","counts":[{"fact":"e","count":1},{"fact":"f","count":5}]}
{"type":"loss","probe":"network","stage":"map","count":5,"reason":"full"}
{"type":"loss","probe":"trace","stage":"read","count":1,"reason":"a line cannot be read"}
{"type":"end","records":7,"lost":6,"complete":"false"}
`
	got, bad := mergeTexts(t, in)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"t:12: no JSON object: at byte 0: invalid character '?' at start of value"}, bad); diff != "" {
		t.Errorf("bad lines (-want +got):\n%s", diff)
	}
}

func TestMergeJudgesTheEnd(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"whole", header + exit + end, `"lost":0,"complete":"true"`},
		{"not understood", header + `{"type":"weather"}` + "\n" + end, `"lost":0,"complete":"unknown"`},
		{"a line missing", header + end, `"lost":1,"complete":"false"`},
		{"no end", header + exit, `{"type":"exit","container":"c"}`},
	}
	for _, tt := range tests {
		got, _ := mergeTexts(t, tt.text)
		lines := strings.Split(strings.TrimSpace(got), "\n")
		if last := lines[len(lines)-1]; !strings.Contains(last, tt.want) {
			t.Errorf("%s: the last line is %s, want %s", tt.name, last, tt.want)
		}
	}
}

// TestMergeGoesOn merges the other traces where one is none.
func TestMergeGoesOn(t *testing.T) {
	named := strings.Replace(header, "v1\"", "v1\",\"node\":\"n\"", 1) + exit + end
	var m trace.Merge
	if _, err := m.Add(trace.NewReader(strings.NewReader("hello\n"), "a")); !errors.Is(err, trace.ErrNotTrace) {
		t.Errorf("got %v", err)
	}
	if _, err := m.Add(trace.NewReader(strings.NewReader(named), "b")); err != nil {
		t.Error(err)
	}
	var out bytes.Buffer
	w := trace.NewWriter(&out)
	check(t, m.Write(w))
	check(t, w.Close())
	if diff := cmp.Diff(named, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
