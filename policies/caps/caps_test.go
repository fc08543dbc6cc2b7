package caps

import (
	"slices"
	"testing"

	"advisor/policies"
	"advisor/trace"

	"github.com/google/go-cmp/cmp"
)

// ask is a check in the run phase by the container's own credentials.
func ask(name string, allowed bool, syscall, outcome, site string) policies.Capability {
	return policies.Capability{
		Phase: trace.PhaseRun, Name: name, Allowed: allowed, Syscall: syscall, Outcome: outcome,
		UserNS: trace.UserNSContainer, Site: site, Audit: trace.AuditTrue,
		Seen: policies.Seen{First: trace.Sighting{Comm: "nginx"}},
	}
}

func with(c policies.Capability, change func(*policies.Capability)) policies.Capability {
	change(&c)
	return c
}

// nginx is what nginx under Docker asks for, in short.
func nginx() policies.Observation {
	granted := &trace.Granted{User: "0:0", Seccomp: "sha256:1", NoNewPrivileges: new(true)}
	return policies.Observation{
		Workload:   policies.Workload{Kind: policies.KindContainer, Name: "web"},
		Containers: []trace.Container{{ID: "a", Granted: granted}},
		Capabilities: []policies.Capability{
			with(ask("SETPCAP", true, "prctl", "ok", "cap_task_prctl"), func(c *policies.Capability) {
				c.Phase = trace.PhaseStart
			}),
			ask("SYS_ADMIN", false, "mmap", "ok", "cap_vm_enough_memory"),
			with(ask("SYS_ADMIN", true, "openat", "ok", "ovl_can_decode_fh"),
				func(c *policies.Capability) { c.Overridden = true }),
			ask("CHOWN", true, "chown", "ok", "setattr_prepare"),
			ask("SETGID", true, "setgid", "ok", "__x64_sys_setgid"),
			ask("SETUID", true, "setuid", "ok", "__sys_setuid"),
			ask("DAC_READ_SEARCH", false, "openat", "ok", "generic_permission"),
			ask("DAC_OVERRIDE", true, "openat", "ok", "generic_permission"),
			ask("DAC_OVERRIDE", true, "mkdir", "EEXIST", "generic_permission"),
			ask("SYS_RESOURCE", false, "prlimit64", "EPERM", "do_prlimit"),
		},
		Listens: []policies.Listen{{Protocol: "TCP", Address: "0.0.0.0", Port: 80}},
	}
}

func TestClassify(t *testing.T) {
	ok := func(name, site string) policies.Capability { return ask(name, true, "write", "ok", site) }
	tests := []struct {
		name string
		in   []policies.Capability
		want []Class
	}{
		{"nginx", nginx().Capabilities, []Class{
			Runtime, Incidental, Incidental, Needed, Needed, Needed, Alternative, Alternative,
			Incidental, Denied,
		}},
		{"a check without the earlier one stands alone", []policies.Capability{
			ask("DAC_OVERRIDE", true, "openat", "ok", "generic_permission"),
		}, []Class{Needed}},
		{"the first of a group leaves the choice", []policies.Capability{
			ask("BPF", true, "bpf", "ok", "bpf_prog_load"),
		}, []Class{Alternative}},
		{"other credentials than its own", []policies.Capability{
			with(ok("CHOWN", "some_site"), func(c *policies.Capability) { c.Overridden = true }),
		}, []Class{Incidental}},
		{"an unaudited check", []policies.Capability{
			with(ok("SYS_ADMIN", "some_probe"), func(c *policies.Capability) { c.Audit = trace.AuditFalse }),
		}, []Class{Incidental}},
		{"an unaudited check that decides", []policies.Capability{
			with(ask("SYS_ADMIN", true, "seccomp", "ok", "seccomp_set_mode_filter"),
				func(c *policies.Capability) { c.Audit = trace.AuditFalse }),
		}, []Class{Needed}},
		{"user namespaces", []policies.Capability{
			with(ok("SYS_ADMIN", "do_mount"), func(c *policies.Capability) { c.UserNS = trace.UserNSHost }),
			with(ok("SYS_ADMIN", "do_mount"), func(c *policies.Capability) { c.UserNS = trace.UserNSOther }),
		}, []Class{Foreign, Foreign}},
		{"outcomes", []policies.Capability{
			ask("NET_BIND_SERVICE", true, "bind", "EADDRINUSE", "inet_bind"),
			ask("NET_ADMIN", true, "connect", "EINPROGRESS", "x"),
			ask("SYS_RESOURCE", false, "clone", "EAGAIN", "copy_process"),
			ask("NET_ADMIN", false, "sendto", "EAGAIN", "x"),
			ask("KILL", true, "kill", "", "kill_ok_by_cred"),
			ask("IPC_LOCK", false, "mlock", "ENOMEM", "can_do_mlock"),
		}, []Class{Incidental, Needed, Denied, Harmless, Needed, Denied}},
		{"no site known", []policies.Capability{
			ask("SYS_ADMIN", true, "mmap", "ok", ""),
			ask("SYS_ADMIN", true, "mount", "ok", ""),
		}, []Class{Incidental, Needed}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []Class
			for _, f := range Classify(policies.Observation{Capabilities: tt.in}) {
				got = append(got, f.Class)
				if f.Reason == "" {
					t.Errorf("%s in %s: no reason", f.Name, f.Syscall)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestSettle(t *testing.T) {
	tests := []struct {
		outcomes []string
		want     []Class
	}{
		{[]string{"unknown"}, []Class{Needed}},
		{[]string{"", "EACCES"}, []Class{Incidental, Incidental}},
		{[]string{"EACCES", "unknown", "ok"}, []Class{Incidental, Needed, Needed}},
	}
	for _, tt := range tests {
		var o policies.Observation
		for _, outcome := range tt.outcomes {
			o.Capabilities = append(o.Capabilities, ask("KILL", true, "kill", outcome, "x"))
		}
		var got []Class
		for _, f := range Classify(o) {
			got = append(got, f.Class)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q (-want +got)\n%s", tt.outcomes, diff)
		}
	}
}

func TestSynthesize(t *testing.T) {
	s, err := Synthesize(nginx(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID"}, s.Add); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if p := Prove(s, nginx()); !p.OK() {
		t.Errorf("does not hold: %v", p.Failed)
	}
	if s.Standing.Level != Baseline {
		t.Errorf("level %s, blocked by %v", s.Standing.Level, s.Standing.Blocks)
	}
}

// TestPortStart has the workload run where its port needs a capability, by the
// kernel's default and by a stricter one.
func TestPortStart(t *testing.T) {
	for port, start := range map[int]int{80: 1024, 5000: 8000} {
		o := nginx()
		o.Listens[0].Port = port
		s, err := Synthesize(o, Options{PortStart: &start})
		if err != nil || !slices.Contains(s.Add, "NET_BIND_SERVICE") {
			t.Errorf("%v lacks NET_BIND_SERVICE for port %d: %v", s.Add, port, err)
		}
		if p := Prove(s, o); !p.OK() {
			t.Errorf("port %d: does not hold: %v", port, p.Failed)
		}
		s.PortStart = nil
		if p := Prove(s, o); port > 1024 && p.OK() {
			t.Errorf("port %d: holds without a reason", port)
		}
	}
}

func TestSynthesizeUnknownEngine(t *testing.T) {
	if _, err := Synthesize(nginx(), Options{Engine: "rkt"}); err == nil {
		t.Error("no error")
	}
}

// TestProveFails breaks a good list in each way the proof looks for.
func TestProveFails(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Synthesis)
	}{
		{"a needed one is gone", func(s *Synthesis) {
			s.Add = []string{"DAC_OVERRIDE", "SETGID", "SETUID"}
		}},
		{"the alternative is gone", func(s *Synthesis) { s.Add = []string{"CHOWN", "SETGID", "SETUID"} }},
		{"the alternative asked before it", func(s *Synthesis) {
			s.Add = []string{"CHOWN", "DAC_READ_SEARCH", "SETGID", "SETUID"}
		}},
		{"one too many", func(s *Synthesis) { s.Add = append(s.Add, "SYS_ADMIN") }},
		{"nothing dropped", func(s *Synthesis) { s.Drop = nil }},
		{"a level it does not meet", func(s *Synthesis) { s.Standing.Level = Restricted }},
		{"an engine nobody knows", func(s *Synthesis) { s.Engine = "rkt" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Synthesize(nginx(), Options{Engine: "docker"})
			if err != nil {
				t.Fatal(err)
			}
			tt.change(&s)
			if p := Prove(s, nginx()); p.OK() {
				t.Errorf("%v passes the proof", s.Add)
			}
		})
	}
}

func TestSiteNames(t *testing.T) {
	for in, want := range map[string]string{
		"__x64_sys_setuid":                    "sys_setuid",
		"__do_sys_bpf":                        "sys_bpf",
		"generic_permission.part.0":           "generic_permission",
		"cap_vm_enough_memory.constprop.0":    "cap_vm_enough_memory",
		"__sys_bpf":                           "__sys_bpf",
		"setattr_prepare+0x12":                "setattr_prepare",
		"__ia32_compat_sys_sched_setaffinity": "sys_sched_setaffinity",
	} {
		if got := function(in); got != want {
			t.Errorf("function(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestTablesHaveReasonsAndSources holds the data to what the documentation
// promises of it.
func TestTablesHaveReasonsAndSources(t *testing.T) {
	known := trace.Capabilities()
	for _, s := range CallSites() {
		if s.Reason == "" || s.Source == "" || len(s.Functions) == 0 || s.Meaning == "" {
			t.Errorf("row of %v is not complete", s.Functions)
		}
		for _, name := range s.Names {
			if !slices.Contains(known, name) {
				t.Errorf("row of %v names %s", s.Functions, name)
			}
		}
	}
	for _, g := range Groups() {
		if g.Source == "" || len(g.AnyOf) < 2 || len(g.Functions) == 0 {
			t.Errorf("group %v is not complete", g.AnyOf)
		}
	}
}
