package trace_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"advisor/trace"
)

const (
	header = `{"type":"header","schema":"advisor.trace/v1"}` + "\n"
	exit   = `{"type":"exit","container":"c"}` + "\n"
	end    = `{"type":"end","records":2,"lost":0,"complete":"true"}` + "\n"
	end1   = `{"type":"end","records":1,"lost":0,"complete":"true"}` + "\n"
)

// outcome is everything a reader has to say of a text.
type outcome struct {
	Types           string
	Bad             []string
	End             string
	Records, Fields uint64 // unknown
	Cut, Missing    uint64
}

func outcomeOf(in io.Reader) outcome {
	r := trace.NewReader(in, "t")
	var o outcome
	var types []string
	for o.End == "" {
		rec, err := r.Next()
		var line *trace.LineError
		switch {
		case errors.As(err, &line):
			o.Bad = append(o.Bad, err.Error())
		case err != nil:
			o.End = err.Error()
		default:
			types = append(types, rec.Type())
		}
	}
	o.Types = strings.Join(types, " ")
	o.Records, o.Fields = r.Unknown()
	o.Cut, o.Missing = r.Cut(), r.Missing()
	return o
}

func TestReader(t *testing.T) {
	const incomplete = "t: trace stops without an end record"
	tests := []struct {
		name, text string
		want       outcome
	}{
		{"whole", header + exit + end, outcome{Types: "header exit end", End: "EOF"}},
		{"end without a newline", header + exit + strings.TrimSpace(end),
			outcome{Types: "header exit end", End: "EOF"}},
		{"CRLF and blank lines", strings.ReplaceAll(header+"\n"+exit+end+"\n", "\n", "\r\n"),
			outcome{Types: "header exit end", End: "EOF"}},
		{"no end", header + exit, outcome{Types: "header exit", End: incomplete}},
		{"cut last line", header + exit + `{"type":"exit","cont`,
			outcome{Types: "header exit", Cut: 1, End: incomplete}},
		{"cut by a crash that left zeros", header + "\x00\x00\x00",
			outcome{Types: "header", Cut: 1, End: incomplete}},
		{"two recordings", header + exit + end + header + exit + end,
			outcome{Types: "header exit end header exit end", End: "EOF"}},
		{"the first recording has no end", header + exit + header + exit + end,
			outcome{Types: "header exit header exit end", End: "EOF"}},
		{"an append that was cut", header + exit + end + `{"type":"hea`,
			outcome{Types: "header exit end", Cut: 1, End: incomplete}},
		{"a record after the end", header + exit + end + exit,
			outcome{Types: "header exit end", End: "EOF",
				Bad: []string{"t:4: a record after the end record, and no header before it"}}},
		{"a bad line in the middle", header + `{"type":"exit"` + "\n" + exit +
			`{"type":"end","records":3,"lost":0,"complete":"true"}`,
			outcome{Types: "header exit end", End: "EOF",
				Bad: []string{"t:2: no JSON object: at byte 14: unexpected EOF"}}},
		{"lines taken out", header + end, outcome{Types: "header end", Missing: 1, End: "EOF"}},
		{"lines put in", header + exit + exit + end,
			outcome{Types: "header exit exit end", Missing: 1, End: "EOF"}},
		{"unknown type", header + `{"type":"weather","sun":true}` + "\n" + end,
			outcome{Types: "header end", Records: 1, End: "EOF"}},
		{"unknown type that is no JSON", header + `{"type":"weather",sun}` + "\n" + end,
			outcome{Types: "header end", End: "EOF",
				Bad: []string{"t:2: no JSON object: at byte 18: invalid character 's' at start of value"}}},
		{"unknown fields at any depth", header +
			`{"type":"container","id":"c","x":1,"pod":{"namespace":"n","name":"p","y":{"z":1}},` +
			`"labels":{"free":"text"}}` + "\n" + end,
			outcome{Types: "header container end", Fields: 2, End: "EOF"}},
		{"unknown fields in lists", header +
			`{"type":"counts","container":"c","counts":[{"fact":"f","count":1,"per":"s"}]}` + "\n" + end,
			outcome{Types: "header counts end", Fields: 1, End: "EOF"}},
		{"type not first", header + `{"container":"c","type":"exit"}` + "\n" + end,
			outcome{Types: "header exit end", End: "EOF"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := outcomeOf(strings.NewReader(tt.text))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			bytewise := outcomeOf(iotest.OneByteReader(strings.NewReader(tt.text)))
			if diff := cmp.Diff(tt.want, bytewise); diff != "" {
				t.Errorf("byte by byte (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReaderTakesMinorVersions(t *testing.T) {
	got := outcomeOf(strings.NewReader(strings.Replace(header, "v1", "v1.3", 1) + end1))
	if diff := cmp.Diff(outcome{Types: "header end", End: "EOF"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReaderRefusesForeignFiles(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "", "t: not a trace: it is empty, without even a header line"},
		{"gzip", "\x1f\x8b\x08", "it is gzip data, to be decompressed first"},
		{"pcap", "\xd4\xc3\xb2\xa1\x02", "it is a packet capture"},
		{"pcapng", "\x0a\x0d\x0d\x0a", "it is a packet capture"},
		{"html", "<!DOCTYPE html>\n", "it is HTML or XML"},
		{"one long line", strings.Repeat("x", 17<<20), "but line is longer than 16 MiB"},
		{"text", "hello\n", `t:1: not a trace: the first line should be a header with schema "advisor.trace/v1", but`},
		{"other JSON lines", `{"level":"info"}` + "\n", `t:1: not a trace: the first line should be a header`},
		{"no header", exit + end, `but it is a record of type exit`},
		{"another schema", `{"type":"header","schema":"other/v1"}` + "\n", `schema is "other/v1"`},
		{"a later version", `{"type":"header","schema":"advisor.trace/v2"}` + "\n",
			`t:1: not a trace that this version reads: schema is "advisor.trace/v2", from a later one`},
		{"a later version appended", header + exit + end + `{"type":"header","schema":"advisor.trace/v2"}` + "\n",
			`t:4: not a trace that this version reads`},
		{"a lookalike version", `{"type":"header","schema":"advisor.trace/v10"}` + "\n", "not a trace that this version reads"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := read([]byte(tt.text))
			if !errors.Is(err, trace.ErrNotTrace) || !strings.Contains(strings.ReplaceAll(err.Error(), "trace.log", "t"), tt.want) {
				t.Errorf("got %v, want it to say %q", err, tt.want)
			}
		})
	}
}

func TestReaderRefusesBadValues(t *testing.T) {
	tests := []struct{ line, want string }{
		{`{"type":"exit"}`, "container is missing"},
		{`{"type":"exit","container":7}`, "container is a number, not a string"},
		{`{"type":"exit","container":"a","container":"b"}`, `"container" stands twice in one object`},
		{`{"type":"exit","container":"a","type":"exit"}`, `"type" stands twice in one object`},
		{`{"type":"exit","container":"a","x":1,"x":2}`, `"x" stands twice in one object`},
		{`{"type":"exit","container":"a","time":"noon"}`, "time is a string, not a time as in RFC 3339"},
		{`{"type":"exit","container":"a"} x`, "no JSON object: at byte 32: invalid character 'x' after top-level value"},
		{`[1]`, "it is an array, not an object"},
		{`{}`, `it has no "type"`},
		{`{"type":"exit","Container":"a"}`, "container is missing"},
		{`{"type":"syscall","container":"a","phase":"stop","arch":"x86_64","nr":1}`,
			`phase is "stop", not start, run`},
		{`{"type":"syscall","container":"a","phase":"run","nr":1}`, "arch is missing"},
		{`{"type":"syscall","container":"a","phase":"run","arch":"x86_64","nr":-1}`,
			"nr is -1, no number of a system call"},
		{`{"type":"syscall","container":"a","phase":"run","arch":"x86_64","nr":1.5}`,
			"nr is 1.5, not a whole number"},
		{`{"type":"syscall","container":"a","phase":"run","arch":"x32","nr":1073741824}`,
			"nr is 1073741824: numbers of x32 stand without bit 30"},
		{`{"type":"syscall","container":"a","phase":"run","arch":"x86_64","nr":1,"args":[{"index":6,"value":1}]}`,
			"args: index 6 twice, or not 0 to 5"},
		{`{"type":"connect","container":"a","protocol":"TCP","remote":"10.0.0.1","port":65536,"result":"sent"}`,
			"port is 65536, not 0 to 65535"},
		{`{"type":"connect","container":"a","protocol":"tcp","remote":"10.0.0.1","port":1,"result":"sent"}`,
			`protocol is "tcp", not TCP, UDP, SCTP`},
		{`{"type":"connect","container":"a","protocol":"TCP","remote":"db","port":1,"result":"sent"}`,
			`remote is "db", no IP address`},
		{`{"type":"connect","container":"a","protocol":"TCP","remote":"::1","port":1,"result":"ok"}`,
			`result is "ok", not established, refused, timeout, unreachable, failed, pending, sent`},
		{`{"type":"capability","container":"a","phase":"run","name":"CHOWN","allowed":true,"audit":"yes"}`,
			`audit is "yes", not true, false, unknown`},
		{`{"type":"end","records":-1,"lost":0,"complete":"true"}`, "records is -1, not a whole number from 0"},
		{`{"type":"end","records":1,"lost":0,"complete":true}`, "complete is a boolean, not a string"},
		{"{\"type\":\"exit\",\"container\":\"\xff\"}", "no JSON object: at byte 28: invalid UTF-8"},
	}
	for _, tt := range tests {
		text := header + tt.line + "\n" + exit
		got := outcomeOf(strings.NewReader(text))
		want := outcome{Types: "header exit", Bad: []string{"t:2: " + tt.want},
			End: "t: trace stops without an end record"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.line, diff)
		}
	}
}

func TestReaderLongLines(t *testing.T) {
	for size, want := range map[int]string{100_000: "", 1 << 20: "", 17 << 20: "t:2: line is longer than 16 MiB"} {
		text := header + fmt.Sprintf(`{"type":"exit","container":"%s"}`, strings.Repeat("x", size)) + "\n" + exit +
			`{"type":"end","records":3,"lost":0,"complete":"true"}`
		got := outcomeOf(strings.NewReader(text))
		wanted := outcome{Types: "header exit exit end", End: "EOF"}
		if want != "" {
			wanted = outcome{Types: "header exit end", End: "EOF", Bad: []string{want}}
		}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Errorf("a line of %d bytes (-want +got):\n%s", size, diff)
		}
	}
}

// TestReaderCutAnywhere cuts a compressed trace at each byte: every record up
// to the last flush before the cut is there.
func TestReaderCutAnywhere(t *testing.T) {
	var out bytes.Buffer
	w, err := trace.NewZstdWriter(&out)
	check(t, err)
	check(t, w.Write(&trace.Header{Schema: trace.Schema}))
	var flushed []int // size of the file after each record
	for range 30 {
		check(t, w.Write(&trace.Exit{Container: strings.Repeat("c", 20), Time: time.Unix(int64(len(flushed)), 0).UTC()}))
		check(t, w.Flush())
		flushed = append(flushed, out.Len())
	}
	for size := flushed[0]; size < out.Len(); size++ {
		want := 1
		for _, at := range flushed {
			if at <= size {
				want++
			}
		}
		got, bad, err := read(out.Bytes()[:size])
		if len(got) < want || len(bad) > 0 || !errors.Is(err, trace.ErrIncomplete) {
			t.Fatalf("cut at %d of %d: %d records, want %d; %v %v", size, out.Len(), len(got), want, bad, err)
		}
	}
}

func TestReaderFramesInARow(t *testing.T) {
	one := writeZstd(t, []trace.Record{&trace.Header{Schema: trace.Schema}, &trace.End{Complete: "true"}})
	got := outcomeOf(bytes.NewReader(append(bytes.Clone(one), one...)))
	if diff := cmp.Diff(outcome{Types: "header end header end", End: "EOF"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReaderKeepsFailing(t *testing.T) {
	boom := errors.New("disk on fire")
	r := trace.NewReader(io.MultiReader(strings.NewReader(header), iotest.ErrReader(boom)), "t")
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := r.Next(); !errors.Is(err, boom) || err.Error() != "t: reading after line 1: disk on fire" {
			t.Errorf("got %v", err)
		}
	}
}

func TestWriterRefuses(t *testing.T) {
	head := &trace.Header{Schema: trace.Schema}
	tests := []struct {
		name   string
		before []trace.Record
		rec    trace.Record
		want   string
	}{
		{"no header", nil, &trace.Exit{Container: "c"}, "invalid record: exit: there is no header before it"},
		{"after the end", []trace.Record{head, &trace.End{Complete: "true"}}, &trace.Exit{Container: "c"},
			"invalid record: exit: there is no header before it"},
		{"bad value", []trace.Record{head}, &trace.Exit{}, "invalid record: exit: container is missing"},
		{"no schema", nil, &trace.Header{}, `invalid record: header: not a trace: schema is ""`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			w := trace.NewWriter(&out)
			for _, rec := range tt.before {
				check(t, w.Write(rec))
			}
			err := w.Write(tt.rec)
			if !errors.Is(err, trace.ErrInvalid) || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			check(t, w.Close())
			if w.Records() != uint64(len(tt.before)) || w.Bytes() != uint64(out.Len()) {
				t.Errorf("%d records in %d bytes, want %d in %d", w.Records(), w.Bytes(), len(tt.before), out.Len())
			}
		})
	}
}

func TestWriterCountsEnd(t *testing.T) {
	text := write(t, []trace.Record{
		&trace.Header{Schema: trace.Schema}, &trace.Exit{Container: "<c>"}, &trace.End{Complete: "true", Records: 77},
		&trace.Header{Schema: trace.Schema}, &trace.End{Complete: "true"},
	})
	want := `{"type":"header","schema":"advisor.trace/v1"}
{"type":"exit","container":"<c>"}
{"type":"end","records":2,"lost":0,"complete":"true"}
{"type":"header","schema":"advisor.trace/v1"}
{"type":"end","records":1,"lost":0,"complete":"true"}
`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
