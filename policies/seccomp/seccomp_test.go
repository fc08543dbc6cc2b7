package seccomp

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"advisor/policies"
	"advisor/policies/seccomp/proof"
	"advisor/trace"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got)\n%s", name, diff)
	}
}

// missing skips, or fails where everything must be there.
func missing(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("ADVISOR_REQUIRE_BPF") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// sameProfile leaves out places and the format, which a second reading changes.
var sameProfile = cmp.Options{
	cmpopts.IgnoreFields(Profile{}, "Position", "Format", "places"),
	cmpopts.IgnoreFields(Rule{}, "Position", "places"),
	cmpopts.EquateEmpty(),
}

// observation is calls of one architecture, made by a workload.
func observation(arch string, names ...string) policies.Observation {
	o := policies.Observation{
		Workload: policies.Workload{Kind: policies.KindContainer, Name: "web"},
		Evidence: policies.Evidence{Kernels: []string{"6.1.0-21-amd64"}},
	}
	for _, name := range names {
		nr, ok := trace.SyscallNumber(arch, name)
		if !ok {
			panic(arch + " has no " + name)
		}
		o.Syscalls = append(o.Syscalls, policies.Syscall{
			Arch: arch, Nr: nr, Name: name, Phase: trace.PhaseRun,
			Seen: policies.Seen{First: trace.Sighting{Comm: "web"}, Containers: 1},
		})
	}
	return o
}

func web() policies.Observation {
	return observation(trace.ArchX8664, "execve", "openat", "read", "write", "close",
		"clone3", "mmap", "brk", "socket", "bind", "listen", "accept4", "epoll_wait")
}

func synthesize(t *testing.T, o policies.Observation, opt Options) Synthesis {
	t.Helper()
	s, err := Synthesize(o, opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSynthesizeGolden(t *testing.T) {
	yes := true
	for name, opt := range map[string]Options{
		"web.runc.json":     {Runtime: "runc"},
		"web.runc-nnp.json": {Runtime: "runc 1.2.9", NoNewPrivileges: &yes},
		"web.crun.json":     {Runtime: "crun", Add: []string{"fsync"}},
		"web.kill.json":     {Action: "kill", Runtime: "crun"},
		"web.log.json":      {Action: "log", Runtime: "crun"},
	} {
		s := synthesize(t, web(), opt)
		text, err := s.Profile.Render(OCI)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name, text)
	}
}

// prove hands the profile to those who did not make it.
func prove(t *testing.T, s Synthesis, o policies.Observation, opt Options) policies.Proof {
	t.Helper()
	text, err := s.Profile.Render(OCI)
	if err != nil {
		t.Fatal(err)
	}
	asked := proof.Asked{
		Add: opt.Add, Action: opt.Action, Runtime: opt.Runtime, Arguments: opt.Arguments,
		NoNewPrivileges: opt.NoNewPrivileges, SpeltOut: opt.SpellOut,
	}
	if opt.Base != nil {
		if asked.Base, err = opt.Base.Render(opt.Base.Format); err != nil {
			t.Fatal(err)
		}
	}
	return proof.Prove(proof.Claim{Facts: o, Profile: text, Asked: asked})
}

func TestReasons(t *testing.T) {
	s := synthesize(t, web(), Options{Runtime: Runc, Add: []string{"read", "fsync"}})
	got := map[string]Because{}
	for _, r := range s.Reasons {
		got[r.Name] = r.Reason
	}
	for name, want := range map[string]Because{
		"read": Workload, "fsync": User, "capset": RuntimeFloor, "accept": LibcFallback,
		"clock_gettime": VDSO, "rt_sigreturn": RuntimeFloor, "keyctl": "",
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	s := synthesize(t, web(), Options{})
	for _, f := range []Format{OCI, Docker, Podman} {
		text, err := s.Profile.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		back, errs := Parse("p.json", text)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		if diff := cmp.Diff(s.Profile, back, sameProfile); diff != "" {
			t.Errorf("%s (-want +got)\n%s", f, diff)
		}
	}
}
