package policies_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"advisor/policies"
	"advisor/trace"
)

var (
	root  = trace.Place{Mount: "/", FS: "overlay"}
	cache = trace.Place{Mount: "/var/cache", FS: "ext4"}
)

func file(access trace.Access, path string, at trace.Place) *trace.File {
	return &trace.File{Container: "a", Access: access, Path: path, Place: at, Sighting: by(1, "web")}
}

func watching(facts ...trace.Record) []trace.Record {
	h := header("n1")
	h.Probes.Files = "raw_tp/sys_exit"
	return append([]trace.Record{h, &trace.Container{ID: "a", Name: "web"}}, facts...)
}

func TestWritten(t *testing.T) {
	cut := file(trace.AccessWrite, "deep/down", cache)
	cut.Cut = true
	o := observe(watching(
		file(trace.AccessRead, "/etc/passwd", root),
		file(trace.AccessDevice, "/dev/null", trace.Place{Mount: "/dev", FS: "tmpfs"}),
		file(trace.AccessMap, "/lib/libc.so", root),
		file(trace.AccessConnect, "/run/db.sock", root),
		file(trace.AccessCreate, "/run/web.pid", root),
		file(trace.AccessRemove, "/run/web.pid", root),
		file(trace.AccessRename, "/srv/b", root),
		file(trace.AccessBind, "x", trace.Place{Origin: trace.OriginAbstract}),
		file(trace.AccessWrite, "/var/cache/x/y", cache),
		cut,
		finish(9)))[0]
	want := []policies.Written{
		{Place: root, Directories: []string{"/run", "/srv"}},
		{Place: cache, Directories: []string{"/var/cache/x"}, Partial: true},
	}
	if diff := cmp.Diff(want, o.Written()); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(policies.FileEvidence{Recorded: true, Complete: trace.CompleteTrue}, o.FileEvidence); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
}

func TestFileEvidence(t *testing.T) {
	overflow := file(trace.AccessWrite, "/x", root)
	overflow.Overflow = true
	ring, late := call("a", 425, 1), &trace.Container{ID: "a", Name: "web", Existed: true}
	abi := func(arch string, nr int, name string) *trace.Syscall {
		c := call("a", nr, 1)
		c.Arch, c.Name = arch, name
		return c
	}
	tests := []struct {
		name   string
		traces [][]trace.Record
		want   policies.FileEvidence
	}{
		{"nobody asked", [][]trace.Record{{header("n1"), call("a", 0, 1), finish(9)}}, policies.FileEvidence{}},
		{"one of two", [][]trace.Record{
			watching(finish(9)), {header("n2"), &trace.Container{ID: "b", Name: "web"}, finish(9)},
		}, policies.FileEvidence{Complete: trace.CompleteUnknown,
			Reasons: []string{"not every recording looked for them"}}},
		{"overflow", [][]trace.Record{watching(overflow, finish(9))}, policies.FileEvidence{
			Recorded: true, Complete: trace.CompleteFalse, Reasons: []string{"more directories of / than are kept"}}},
		{"unknown place", [][]trace.Record{
			watching(file(trace.AccessRemove, "/var/run/x", trace.Place{Origin: trace.OriginUnknown}), finish(9)),
		}, policies.FileEvidence{Recorded: true, Complete: trace.CompleteUnknown,
			Reasons: []string{"where /var/run/x lies is not known"}}},
		{"unwatched ways", [][]trace.Record{
			watching(ring, abi(trace.ArchX32, 2, "open"), abi(trace.ArchI386, 102, "socketcall"), finish(9)),
		}, policies.FileEvidence{
			Recorded: true, Complete: trace.CompleteUnknown, Reasons: []string{
				"what i386 calls whose arguments are in memory did with files is not known",
				"what was done through io_uring is not known",
				"what x32 calls did with files is not known"}}},
		{"32-bit calls", [][]trace.Record{
			watching(abi(trace.ArchI386, 5, "open"), abi(trace.ArchArm, 322, "openat"), finish(9)),
		}, policies.FileEvidence{Recorded: true, Complete: trace.CompleteTrue}},
		{"late", [][]trace.Record{watching(late, finish(9))}, policies.FileEvidence{
			Recorded: true, Complete: trace.CompleteUnknown, Reasons: []string{
				"the recording is not complete", "what was opened before recording began is not known"}}},
		{"no end", [][]trace.Record{watching()}, policies.FileEvidence{
			Recorded: true, Complete: trace.CompleteUnknown, Reasons: []string{"the recording is not complete"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := observe(tt.traces...)
			if len(got) != 1 {
				t.Fatalf("%d workloads", len(got))
			}
			if diff := cmp.Diff(tt.want, got[0].FileEvidence); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
