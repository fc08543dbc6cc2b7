package report

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzRead: what is read as a report prints back, and reads the same.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"schema":"advisor.report/v1","traces":["a"],"workloads":[],"findings":[]}`))
	f.Add([]byte(`{"schema":"advisor.report/v1","traces":null,"workloads":[{"kind":"Pod","name":"x","observed":true,` +
		`"declared":false}],"findings":[{"class":"missing","rule":"caps/missing","workload":{"kind":"Pod","name":"x"},` +
		`"subject":"CHOWN","message":"m","position":{"file":"a.yaml","line":3}}]}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		first, err := Read("fuzz", bytes.NewReader(text))
		if (first == nil) == (err == nil) {
			t.Fatalf("a report and an error, or neither: %v, %v", first, err)
		}
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := first.JSON(&b); err != nil {
			t.Fatal(err)
		}
		second, err := Read("printed", bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatalf("what was printed is not read: %v\n%s", err, b.String())
		}
		var again bytes.Buffer
		if err := second.JSON(&again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(b.String(), again.String()); diff != "" {
			t.Errorf("printed twice (-first +second):\n%s", diff)
		}
		for _, format := range Renderings() {
			if err := second.Render(&again, format, Style{Color: true}); err != nil {
				t.Errorf("%s: %v", format, err)
			}
		}
	})
}

// FuzzManifests: no text of any file stops the others, and each problem says
// something.
func FuzzManifests(f *testing.F) {
	f.Add("a.yaml", []byte("apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers: [{name: c}]\n"))
	f.Add("a.json", []byte(`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[]}`))
	f.Add("a.sh", []byte("docker run --cap-add NET_RAW nginx\n"))
	f.Add("compose.yaml", []byte("services:\n  web:\n    cap_add: [CHOWN]\n"))
	f.Fuzz(func(t *testing.T, file string, text []byte) {
		m := Manifests{texts: make(map[string][]byte)}
		m.add(file, text)
		m.parse()
		for _, p := range m.Problems {
			if p.Message == "" {
				t.Errorf("a problem without words at %s", p.Position)
			}
		}
	})
}

// FuzzIgnores: an ignore file gives entries that say why, or an error.
func FuzzIgnores(f *testing.F) {
	f.Add([]byte("ignore:\n  - rule: caps/*\n    reason: x\n    expires: 2027-01-31\n"))
	f.Add([]byte("ignore: [{rule: '[', reason: x}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		entries, err := ParseIgnores("fuzz", text)
		if err != nil && entries != nil {
			t.Fatal("entries and an error")
		}
		for _, e := range entries {
			if e.Rule == "" || e.Reason == "" {
				t.Errorf("an entry without rule or reason: %+v", e)
			}
		}
	})
}
