package trace_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"advisor/trace"
)

// TestRoundTrip writes made-up records of every type, in both forms of the
// file, and reads them again.
func TestRoundTrip(t *testing.T) {
	for seed := range uint64(200) {
		want := recording(rand.New(rand.NewPCG(seed, 1)))
		for form, text := range map[string][]byte{"plain": write(t, want), "zstd": writeZstd(t, want)} {
			got, bad, err := read(text)
			if len(bad) > 0 || !errors.Is(err, io.EOF) {
				t.Fatalf("seed %d, %s: ended with %v, after %v", seed, form, err, bad)
			}
			if diff := diffRecords(want, got); diff != "" {
				t.Fatalf("seed %d, %s: records (-want +got):\n%s", seed, form, diff)
			}
		}
	}
}

// diffRecords leaves out what the format does not tell apart.
func diffRecords(want, got []trace.Record) string {
	return cmp.Diff(want, got, cmpopts.EquateEmpty())
}

func write(tb testing.TB, records []trace.Record) []byte {
	var out bytes.Buffer
	writeTo(tb, trace.NewWriter(&out), records)
	return out.Bytes()
}

func writeZstd(tb testing.TB, records []trace.Record) []byte {
	var out bytes.Buffer
	w, err := trace.NewZstdWriter(&out)
	check(tb, err)
	writeTo(tb, w, records)
	return out.Bytes()
}

func writeTo(tb testing.TB, w *trace.Writer, records []trace.Record) {
	tb.Helper()
	for _, rec := range records {
		if err := w.Write(rec); err != nil {
			tb.Fatalf("%#v: %v", rec, err)
		}
	}
	check(tb, w.Close())
}

// read reads everything there is, and returns what ended it.
func read(text []byte) (list []trace.Record, bad []string, err error) {
	r := trace.NewReader(bytes.NewReader(text), "trace.log")
	for {
		rec, err := r.Next()
		var line *trace.LineError
		switch {
		case errors.As(err, &line):
			bad = append(bad, err.Error())
		case err != nil:
			return list, bad, err
		default:
			list = append(list, rec)
		}
	}
}

// recording is a header, some of every record type, and an end.
func recording(r *rand.Rand) []trace.Record {
	list := []trace.Record{generate(r, &trace.Header{})}
	for range r.IntN(5) {
		for _, rec := range []trace.Record{
			new(trace.Container), new(trace.Syscall), new(trace.Capability), new(trace.Connect),
			new(trace.Accept), new(trace.Listen), new(trace.Denied), new(trace.Counts),
			new(trace.Exit), new(trace.Loss), new(trace.Last), new(trace.Exec), new(trace.File),
		} {
			list = append(list, generate(r, rec))
		}
	}
	return append(list, generate(r, &trace.End{Records: uint64(len(list))}))
}

// generate fills a record with values that the format allows.
func generate(r *rand.Rand, rec trace.Record) trace.Record {
	fill(r, reflect.ValueOf(rec).Elem())
	switch v := rec.(type) {
	case *trace.Header:
		v.Schema = trace.Schema
	case *trace.Container:
		v.ID, v.IPs = "c1", []string{pick(r, addresses)}
	case *trace.Syscall:
		v.Container, v.Phase, v.Arch = "c1", pick(r, phases), pick(r, trace.Archs())
		for i := range v.Args {
			v.Args[i].Index = i
		}
	case *trace.Capability:
		v.Container, v.Phase, v.Name = "c1", pick(r, phases), pick(r, trace.Capabilities())
		v.UserNS = pick(r, []trace.UserNS{"", trace.UserNSContainer, trace.UserNSHost, trace.UserNSOther})
		v.Audit = pick(r, []trace.Audit{"", trace.AuditTrue, trace.AuditFalse, trace.AuditUnknown})
	case *trace.End:
		v.Complete = pick(r, []trace.Complete{trace.CompleteTrue, trace.CompleteFalse, trace.CompleteUnknown})
	default:
		generateFlow(r, rec)
	}
	return rec
}

func generateFlow(r *rand.Rand, rec trace.Record) {
	switch v := rec.(type) {
	case *trace.Connect:
		v.Container, v.Protocol, v.Remote = "c1", pick(r, protocols), pick(r, addresses)
		v.Requested, v.Translated, v.Source = pick(r, addresses), "", pick(r, addresses)
		v.Result = pick(r, []string{"established", "refused", "timeout", "pending", "sent"})
	case *trace.Accept:
		v.Container, v.Protocol, v.Address, v.Remote = "c1", pick(r, protocols), "", pick(r, addresses)
	case *trace.Listen:
		v.Container, v.Protocol, v.Address = "c1", pick(r, protocols), pick(r, addresses)
	case *trace.Denied:
		v.Container = "c1"
	case *trace.Counts:
		v.Container, v.Counts = "c1", []trace.Count{{Fact: "capability/CHOWN", Count: r.Uint64()}}
	case *trace.Exit:
		v.Container = "c1"
	case *trace.Loss:
		v.Probe = "syscalls"
	case *trace.Last:
		v.Container = "c1"
		for i := range v.Texts {
			v.Texts[i].Index = i
		}
		v.Denied = pick(r, []string{"", trace.DeniedErrno, trace.DeniedSignal})
		v.Why = pick(r, []string{"", trace.WhyEnd, trace.WhyDenied, trace.WhySignal})
	case *trace.Exec:
		v.Container, v.Path, v.Place = "c1", "/bin/sh", pick(r, places)
	case *trace.File:
		v.Container, v.Access, v.Place = "c1", pick(r, accesses), pick(r, places)
	}
}

var (
	phases    = []trace.Phase{trace.PhaseStart, trace.PhaseRun}
	protocols = []string{trace.TCP, trace.UDP, trace.SCTP}
	places    = []trace.Place{{Mount: "/", FS: "overlay"}, {Origin: trace.OriginOutside}}
	accesses  = []trace.Access{trace.AccessRead, trace.AccessRename, trace.AccessConnect}
	addresses = []string{"10.0.0.1", "2001:db8::1", "fe80::1%eth0", "0.0.0.0"}
	texts     = []string{"", "nginx", `"time":"`, `\"pid":7`, "a b\tc\nd", "héllo <&>", "日本\u2028", "\u0000\x7f"}
)

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// fill sets every field to a value of its kind, and some to none.
func fill(r *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(r.IntN(65536)))
	case reflect.Uint64:
		if v.Uint() == 0 {
			v.SetUint(r.Uint64())
		}
	case reflect.String:
		v.SetString(pick(r, texts))
	case reflect.Pointer:
		if r.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem())
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(4), 4))
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{pick(r, texts): pick(r, texts)}))
	case reflect.Struct:
		fillStruct(r, v)
	default:
		panic(fmt.Sprintf("no value for a %s", v.Type()))
	}
}

func fillStruct(r *rand.Rand, v reflect.Value) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		if r.IntN(3) > 0 {
			v.Set(reflect.ValueOf(time.Unix(r.Int64N(2e9), r.Int64N(1e9)).UTC()))
		}
		return
	}
	for i := range v.NumField() {
		fill(r, v.Field(i))
	}
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
