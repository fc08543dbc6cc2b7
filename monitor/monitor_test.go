package monitor

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"advisor/fixtures/bed"
	"advisor/trace"
)

func TestMain(m *testing.M) {
	if IsInit() {
		os.Exit(Init())
	}
	if len(os.Args) > 1 && os.Args[1] == "act" {
		os.Exit(act(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// skipOrFail ends a test that cannot run here, and fails it where it has to.
func skipOrFail(t testing.TB, err error) {
	t.Helper()
	// Not os.ErrPermission: it matches EACCES too, which is how the verifier
	// says no, and a rejected program must never look like a missing privilege.
	if !errors.Is(err, ebpf.ErrNotSupported) && !errors.Is(err, unix.EPERM) &&
		!errors.Is(err, ErrPrivilege) {
		t.Fatalf("%+v", err)
	}
	bed.Skip(t, "needs root and a kernel with BTF tracepoints: %v", err)
}

// recorded is the trace of one run.
type recorded struct {
	Result
	records []trace.Record
	stdout  string
}

// run records with o and reads the trace back.
func run(t *testing.T, ctx context.Context, o Options) recorded {
	t.Helper()
	if o.Output == "" {
		o.Output = filepath.Join(t.TempDir(), "trace.log")
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	o.Stdout, o.Stderr = out, out
	res, err := Run(ctx, o)
	if err != nil {
		skipOrFail(t, err)
	}
	said, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return recorded{res, read(t, o.Output), string(said)}
}

func read(t *testing.T, path string) []trace.Record {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := trace.NewReader(bytes.NewReader(raw), path)
	var all []trace.Record
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rec)
	}
}

// of returns the records of one type that belong to the container called name.
func of[T trace.Record](r recorded, name string) []T {
	var ids []string
	for _, rec := range r.records {
		if c, ok := rec.(*trace.Container); ok && c.Name == name {
			ids = append(ids, c.ID)
		}
	}
	var list []T
	for _, rec := range r.records {
		if rec, ok := rec.(T); ok && slices.Contains(ids, containerOf(rec)) {
			list = append(list, rec)
		}
	}
	return list
}

// self is a command that has this test binary act.
func self(t *testing.T, args ...string) []string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return append([]string{exe, "act"}, args...)
}

func TestCommandPassesItsExitCode(t *testing.T) {
	got := run(t, t.Context(), Options{Command: []string{"sh", "-c", "echo hello; exit 3"}})
	if got.ExitCode != 3 || got.stdout != "hello\n" {
		t.Errorf("exit code %d, output %q; want 3 and hello", got.ExitCode, got.stdout)
	}
	exits := of[*trace.Exit](got, "sh")
	if len(exits) != 1 || exits[0].Code == nil || *exits[0].Code != 3 {
		t.Errorf("exits %v, want one with code 3", exits)
	}
	end, ok := got.records[len(got.records)-1].(*trace.End)
	if !ok || end.Reason != "command" || end.Complete != trace.CompleteTrue {
		t.Errorf("last record %+v, want a complete end because of the command", end)
	}
}

func TestCommandKilledBySignal(t *testing.T) {
	got := run(t, t.Context(), Options{Command: []string{"sh", "-c", "kill -9 $$"}})
	if got.ExitCode != 137 {
		t.Errorf("exit code %d, want 137", got.ExitCode)
	}
}

func TestInterruptDrains(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	o := Options{Command: []string{"sleep", "60"}, Ready: func(Status) {
		time.AfterFunc(500*time.Millisecond, cancel)
	}}
	got := run(t, ctx, o)
	end, ok := got.records[len(got.records)-1].(*trace.End)
	if !ok || end.Reason != "interrupt" {
		t.Fatalf("last record %+v, want an end by interrupt", end)
	}
	if len(of[*trace.Syscall](got, "sleep")) == 0 {
		t.Error("no system call of the command")
	}
}

func TestOutputExists(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace.log")
	if err := os.WriteFile(path, []byte("mine\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Run(t.Context(), Options{Output: path, Duration: time.Second})
	if errors.Is(err, ErrPrivilege) {
		skipOrFail(t, err)
	}
	if !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v, want one that says the file exists", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "mine\n" {
		t.Errorf("the file now holds %q", got)
	}
}

func TestUnknownCommand(t *testing.T) {
	dir := t.TempDir()
	_, err := Run(t.Context(), Options{
		Output: filepath.Join(dir, "trace.log"), Command: []string{"no-such-program"},
	})
	if err == nil {
		t.Fatal("no error for a program that does not exist")
	}
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		t.Errorf("%s was left behind", entries[0].Name())
	}
}
