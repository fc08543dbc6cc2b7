package proof_test

import (
	"bytes"
	"testing"

	"advisor/policies"
	"advisor/policies/seccomp"
	"advisor/policies/seccomp/proof"
	"advisor/trace"
)

// observed is calls of one architecture, made by a workload.
func observed(t *testing.T, arch string, names ...string) policies.Observation {
	t.Helper()
	o := policies.Observation{
		Workload: policies.Workload{Kind: policies.KindContainer, Name: "web"},
		Evidence: policies.Evidence{Kernels: []string{"6.1.0-21-amd64"}},
	}
	for _, name := range names {
		nr, ok := trace.SyscallNumber(arch, name)
		if !ok {
			t.Fatalf("%s has no %s", arch, name)
		}
		o.Syscalls = append(o.Syscalls, policies.Syscall{
			Arch: arch, Nr: nr, Name: name, Phase: trace.PhaseRun,
			Seen: policies.Seen{First: trace.Sighting{Comm: "web"}, Containers: 1},
		})
	}
	return o
}

// web is a small server, with programs of i386 where asked for.
func web(t *testing.T, compat bool) policies.Observation {
	t.Helper()
	o := observed(t, trace.ArchX8664, "execve", "openat", "read", "write", "close", "clone3",
		"mmap", "brk", "socket", "bind", "listen", "accept4", "epoll_wait", "clone", "personality", "statx")
	if compat {
		more := observed(t, trace.ArchI386, "execve", "socketcall", "mmap2", "clock_nanosleep_time64", "statx")
		o.Syscalls = append(o.Syscalls, more.Syscalls...)
	}
	start := observed(t, trace.ArchX8664, "mount", "capset").Syscalls
	start[0].Phase = trace.PhaseStart // before the filter
	start[1].Phase, start[1].Filtered = trace.PhaseStart, true
	o.Syscalls = append(o.Syscalls, start...)
	o.Denied = []policies.Denied{{Arch: trace.ArchX8664, Nr: 172, Syscall: "iopl", Action: "EPERM"},
		{Arch: trace.ArchX8664, Nr: 99, Syscall: "sysinfo", Action: "EPERM"}}
	return o
}

// withArguments gives some of the calls recorded arguments.
func withArguments(o policies.Observation) policies.Observation {
	for i, s := range o.Syscalls {
		switch {
		case s.Arch != trace.ArchX8664:
		case s.Name == "socket":
			o.Syscalls[i].Args = [][]trace.Arg{
				{{Index: 0, Value: 2}, {Index: 1, Value: 1, Mask: 0xf}},
				{{Index: 0, Value: 1}, {Index: 1, Value: 1, Mask: 0xf}},
			}
		case s.Name == "clone":
			o.Syscalls[i].Args = [][]trace.Arg{{{Index: 0, Value: 0x3d0f00}}}
		case s.Name == "personality":
			o.Syscalls[i].Args = [][]trace.Arg{{{Index: 0, Value: 0xffffffff}}}
		case s.Name == "mmap":
			o.Syscalls[i].Args = [][]trace.Arg{{{Index: 2, Value: 3, Mask: 0xffffffff}}}
		}
	}
	return o
}

// claim synthesizes, and gives what is printed with what was asked for.
func claim(t *testing.T, o policies.Observation, opt seccomp.Options, f seccomp.Format) proof.Claim {
	t.Helper()
	opt.SpellOut = opt.SpellOut || f == seccomp.SPO || f == seccomp.SPOBeta
	s, err := seccomp.Synthesize(o, opt)
	if err != nil {
		t.Fatal(err)
	}
	c := proof.Claim{Facts: o, Asked: proof.Asked{
		Add: opt.Add, Action: opt.Action, Runtime: opt.Runtime, Arguments: opt.Arguments,
		NoNewPrivileges: opt.NoNewPrivileges, Capabilities: opt.Context.Capabilities,
		Engine: opt.Context.Engine, Kernel: opt.Context.Kernel, SpeltOut: opt.SpellOut,
	}}
	for _, r := range s.Reasons {
		c.Reasons = append(c.Reasons, proof.Reason{Arch: r.Arch, Name: r.Name, Because: string(r.Reason)})
	}
	if opt.Base != nil {
		if c.Asked.Base, err = opt.Base.Render(opt.Base.Format); err != nil {
			t.Fatal(err)
		}
	}
	if f == seccomp.SPO || f == seccomp.SPOBeta {
		s.Profile.Name = "web"
	}
	if c.Profile, err = s.Profile.Render(f); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestEverythingSynthesizedIsProven goes through what can be asked for.
func TestEverythingSynthesizedIsProven(t *testing.T) {
	yes, no := true, false
	docker := seccomp.DockerDefault()
	options := map[string]seccomp.Options{
		"as recorded": {},
		"runc":        {Runtime: "runc", NoNewPrivileges: &no},
		"runc 1.0.3":  {Runtime: "runc 1.0.3"},
		"runc 1.1.5":  {Runtime: "runc 1.1.5", NoNewPrivileges: &yes},
		"runc 1.1.12": {Runtime: "runc 1.1.12"},
		"runc 1.1.15": {Runtime: "runc 1.1.15", NoNewPrivileges: &yes},
		"runc 1.2.9":  {Runtime: "runc 1.2.9", NoNewPrivileges: &yes},
		"runc 1.5.1":  {Runtime: "runc 1.5.1"},
		"runc 0.1":    {Runtime: "runc 0.1.1"},
		"runc 2":      {Runtime: "runc 2.0.0-rc.1"},
		"crun 0.21":   {Runtime: "crun 0.21"},
		"spelt out":   {SpellOut: true},
		"crun":        {Runtime: "crun"},
		"crun 1.8.1":  {Runtime: "crun 1.8.1", NoNewPrivileges: &yes},
		"kill":        {Action: "kill"},
		"log":         {Action: "log"},
		"added":       {Add: []string{"fsync", "ptrace", "openat2"}},
		"based":       {Base: &docker, Context: seccomp.Context{Capabilities: seccomp.EngineCapabilities("docker")}},
		"based, SYS_ADMIN": {Base: &docker, Context: seccomp.Context{
			Capabilities: []string{"SYS_ADMIN"}}},
	}
	for name, opt := range options {
		for _, compat := range []bool{false, true} {
			for _, arguments := range []bool{false, true} {
				opt.Arguments = arguments
				o := web(t, compat)
				if arguments {
					o = withArguments(o)
				}
				formats := []seccomp.Format{seccomp.OCI, seccomp.SPO}
				if name == "as recorded" || name == "kill" {
					formats = append(formats, seccomp.Docker, seccomp.Podman)
				}
				for _, f := range formats {
					c := claim(t, o, opt, f)
					if p := proof.Prove(c); !p.OK() {
						t.Errorf("%s, i386 %v, arguments %v, as %s: %q", name, compat, arguments, f, p.Failed)
					}
				}
			}
		}
	}
}

// TestARM proves a profile for another host.
func TestARM(t *testing.T) {
	o := observed(t, trace.ArchAarch64, "execve", "openat", "read", "write", "socket", "clone3")
	o.Syscalls = append(o.Syscalls, observed(t, trace.ArchArm, "execve", "set_tls", "mmap2").Syscalls...)
	for _, action := range []string{"errno", "kill", "log"} {
		if p := proof.Prove(claim(t, o, seccomp.Options{Action: action}, seccomp.OCI)); !p.OK() {
			t.Errorf("%s: %q", action, p.Failed)
		}
	}
}

// TestOnly32Bits proves profiles for workloads of which no call of the host's own
// architecture was seen: it is in the profile all the same, as runtimes have it.
func TestOnly32Bits(t *testing.T) {
	for arch, token := range map[string]string{
		trace.ArchArm: `"SCMP_ARCH_AARCH64",`, trace.ArchI386: `"SCMP_ARCH_X86_64",`,
	} {
		o := observed(t, arch, "execve", "mmap2", "openat", "personality", "statx")
		for _, f := range []seccomp.Format{seccomp.OCI, seccomp.SPO} {
			for _, action := range []string{"errno", "kill", "log"} {
				if p := proof.Prove(claim(t, o, seccomp.Options{Action: action}, f)); !p.OK() {
					t.Errorf("%s, %s, %s: %q", arch, f, action, p.Failed)
				}
			}
		}
		c := claim(t, o, seccomp.Options{}, seccomp.OCI)
		c.Profile = bytes.Replace(c.Profile, []byte(token), nil, 1)
		if p := proof.Prove(c); p.OK() {
			t.Errorf("%s: proven without %s", arch, token)
		}
	}
}

// TestARMRuntime proves profiles for workloads whose runtime is a program of arm, too,
// and takes none that leaves out what only such a runtime calls.
func TestARMRuntime(t *testing.T) {
	o := observed(t, trace.ArchArm, "execve", "set_tls", "mmap2", "fcntl64", "write")
	start := observed(t, trace.ArchArm, "capset", "close", "setuid32", "execve", "statx").Syscalls
	for i := range start {
		start[i].Phase, start[i].Filtered = trace.PhaseStart, true
	}
	o.Syscalls = append(o.Syscalls, start...)
	for _, arguments := range []bool{false, true} {
		for _, runtime := range []string{"", "runc", "runc 1.1.5", "crun"} {
			opt := seccomp.Options{Arguments: arguments, Runtime: runtime}
			c := claim(t, o, opt, seccomp.OCI)
			if p := proof.Prove(c); !p.OK() {
				t.Errorf("%q, arguments %t: %q", runtime, arguments, p.Failed)
			}
		}
	}
	c := claim(t, o, seccomp.Options{}, seccomp.OCI)
	c.Profile = bytes.Replace(c.Profile, []byte(`"setgroups32",`), nil, 1)
	if p := proof.Prove(c); p.OK() {
		t.Error("a profile without setgroups32 is proven")
	}
}

// TestNumbersWithoutAName: kernels no newer than the tables cannot have had
// them, and the profile answers as they did. Of newer ones nothing is known.
func TestNumbersWithoutAName(t *testing.T) {
	for kernel, proven := range map[string]bool{"6.1.0-21-amd64": true, "99.1": false, "": false} {
		o := web(t, false)
		o.Evidence.Kernels = nil
		if kernel != "" {
			o.Evidence.Kernels = []string{"5.10", kernel}
		}
		o.Syscalls = append(o.Syscalls, policies.Syscall{Arch: trace.ArchX8664, Nr: 900, Phase: trace.PhaseRun})
		if p := proof.Prove(claim(t, o, seccomp.Options{}, seccomp.OCI)); p.OK() != proven {
			t.Errorf("kernel %q: %q", kernel, p.Failed)
		}
	}
}

// TestUnknownArchitecture: what cannot be looked at is not proven.
func TestUnknownArchitecture(t *testing.T) {
	c := claim(t, web(t, false), seccomp.Options{}, seccomp.OCI)
	c.Facts.Syscalls = append(c.Facts.Syscalls, policies.Syscall{Arch: "riscv64", Nr: 1, Phase: trace.PhaseRun})
	if p := proof.Prove(c); p.OK() {
		t.Error("proven all the same")
	}
}
