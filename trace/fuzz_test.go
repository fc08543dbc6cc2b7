package trace_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"advisor/trace"
)

// FuzzReader holds that a reader never panics, and that what it accepts writes
// back and reads the same.
func FuzzReader(f *testing.F) {
	for seed := range uint64(5) {
		records := recording(rand.New(rand.NewPCG(seed, 2)))
		f.Add(write(f, records))
		f.Add(writeZstd(f, records))
	}
	f.Add([]byte(header + `{"container":"c","type":"exit","x":{"y":[]}}` + "\n" + end))
	f.Fuzz(func(t *testing.T, text []byte) {
		first, _, _ := read(text)
		var out bytes.Buffer
		w := trace.NewWriter(&out)
		for _, rec := range first {
			if end, ok := rec.(*trace.End); ok {
				end.Records = 0 // the writer's business
			}
			if err := w.Write(rec); err != nil {
				t.Fatalf("read, but cannot be written: %#v: %v", rec, err)
			}
		}
		check(t, w.Flush())
		again, bad, _ := read(out.Bytes())
		for _, rec := range again {
			if end, ok := rec.(*trace.End); ok {
				end.Records = 0
			}
		}
		if diff := diffRecords(first, again); diff != "" || len(bad) > 0 {
			t.Fatalf("written and read again (-want +got):\n%s\n%v", diff, bad)
		}
	})
}

// FuzzRepeats holds that lines which repeat one another, with other times,
// processes and ports, are read as if each were the only one.
func FuzzRepeats(f *testing.F) {
	for seed := range uint64(40) {
		f.Add(`"comm":"x","exe":"\"time\":\""`, seed)
		f.Add(`"existing":true`, seed)
		f.Add(`"pid":4,"time":"2020-01-01T00:00:00Z"`, seed)
		f.Add(`"x\"pid":4`, seed)
	}
	f.Fuzz(func(t *testing.T, members string, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 3))
		text := []byte(header)
		start := pick(r, sightings)
		var want []trace.Record
		for range 40 {
			line := sighting(r, start, members)
			text = append(text, line...)
			alone, _, _ := read([]byte(header + line))
			if len(alone) > 1 {
				want = append(want, alone[1:]...)
			}
		}
		got, _, _ := read(text)
		if len(got) > 0 {
			got = got[1:]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("alone and among its like (-want +got):\n%s\n%s", diff, text)
		}
	})
}

// sightings are records without what may vary, in the Writer's order and not.
var sightings = []string{
	`"type":"syscall","container":"c","phase":"run","arch":"x86_64","nr":1`,
	`"type":"syscall","nr":1,"arch":"x86_64","phase":"run","container":"c","args":[{"index":0,"value":1}]`,
	`"type":"capability","container":"c","phase":"run","name":"CHOWN","allowed":true`,
	`"type":"connect","container":"c","protocol":"TCP","remote":"::1","port":80,"result":"sent"`,
	`"type":"accept","container":"c","protocol":"TCP","port":80,"remote":"::1"`,
	`"type":"listen","container":"c","protocol":"TCP","address":"::1","port":80`,
	`"type":"denied","container":"c","nr":1`,
	`"type":"exec","container":"c","path":"/bin/sh","mount":"/"`,
	`"type":"file","container":"c","access":"write","mount":"/"`,
	`"container":"c","type":"exit"`,
}

// sighting is a line that differs from its like in what may vary.
func sighting(r *rand.Rand, start, members string) string {
	time := fmt.Sprintf("20%02d-01-0%dT00:00:00.%dZ", r.IntN(100), r.IntN(10), r.IntN(1000))
	port := pick(r, []string{"local", "peerPort"})
	return fmt.Sprintf("{%s,%s}\n", start, pick(r, []string{
		fmt.Sprintf(`"time":%q,"pid":%d,%s`, time, r.IntN(4)-1, members),
		fmt.Sprintf(`"time":%q,"pid":%d`, time, r.IntN(9)),
		fmt.Sprintf(`"time":%q,"pid":%d`, time, r.IntN(9)),
		fmt.Sprintf(`%s,"time":%q`, members, time),
		fmt.Sprintf(`%q:%d,%s,"time":%q,"pid":0%d`, port, r.IntN(70000), members, time, r.IntN(9)),
		fmt.Sprintf(`%q:%d,"time":%q,"pid":%d`, port, r.IntN(70000), time, r.IntN(9)),
		fmt.Sprintf(`"pid":%d,%s,"time":%q`, r.IntN(2), members, time),
		fmt.Sprintf(`"pid":%d,"time":%q`, r.IntN(2), time),
	}))
}
