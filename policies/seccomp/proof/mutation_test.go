package proof_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"advisor/policies"
	"advisor/policies/seccomp"
	"advisor/policies/seccomp/proof"
	"advisor/trace"
)

type object = map[string]any

// rule finds the entry of a name.
func rule(t *testing.T, doc object, name string) object {
	t.Helper()
	for _, r := range doc["syscalls"].([]any) {
		if slices.Contains(r.(object)["names"].([]any), any(name)) {
			return r.(object)
		}
	}
	t.Fatalf("no rule names %s", name)
	return nil
}

func drop(t *testing.T, doc object, name string) {
	r := rule(t, doc, name)
	r["names"] = slices.DeleteFunc(r["names"].([]any), func(n any) bool { return n == name })
}

func put(t *testing.T, doc object, beside, name string) {
	r := rule(t, doc, beside)
	r["names"] = append(r["names"].([]any), name)
}

func arg(t *testing.T, doc object, name string, i int) object {
	return rule(t, doc, name)["args"].([]any)[i].(object)
}

// mutation breaks a good profile in one way: of the failures one must have the
// word.
type mutation struct {
	name, word string
	mutate     func(*testing.T, object)
}

// callMutations lose or add calls.
func callMutations() []mutation {
	return []mutation{
		{"a recorded call is dropped", "brk", func(t *testing.T, d object) { drop(t, d, "brk") }},
		{"a call of the runtime is dropped", "capset", func(t *testing.T, d object) { drop(t, d, "capset") }},
		{"a call of Go's runtime is dropped", "tgkill", func(t *testing.T, d object) { drop(t, d, "tgkill") }},
		{"a call of crun is dropped", "pselect6", func(t *testing.T, d object) { drop(t, d, "pselect6") }},
		{"a vDSO call is dropped", "gettimeofday", func(t *testing.T, d object) { drop(t, d, "gettimeofday") }},
		{"a fallback is dropped", "x86_64/accept ", func(t *testing.T, d object) { drop(t, d, "accept") }},
		{"the way out of signals is dropped", "rt_sigreturn", func(t *testing.T, d object) { drop(t, d, "rt_sigreturn") }},
		{"an added call is dropped", "fsync", func(t *testing.T, d object) { drop(t, d, "fsync") }},
		{"a dangerous call is allowed", "kexec_load", func(t *testing.T, d object) {
			drop(t, d, "kexec_load")
			put(t, d, "brk", "kexec_load")
		}},
		{"a harmless call is allowed", "getpriority", func(t *testing.T, d object) { put(t, d, "brk", "getpriority") }},
		{"a call of before the filter is allowed", "x86_64/mount ", func(t *testing.T, d object) {
			drop(t, d, "mount")
			put(t, d, "brk", "mount")
		}},
		{"a call of i386 alone is allowed", "i386/vm86", func(t *testing.T, d object) {
			drop(t, d, "vm86")
			put(t, d, "brk", "vm86")
		}},
	}
}

// answerMutations change what calls get that are not allowed.
func answerMutations() []mutation {
	return []mutation{
		{"the default allows", "ALLOW", func(_ *testing.T, d object) {
			d["defaultAction"] = "SCMP_ACT_ALLOW"
			delete(d, "defaultErrnoRet")
		}},
		{"the default logs", "LOG", func(_ *testing.T, d object) {
			d["defaultAction"] = "SCMP_ACT_LOG"
			delete(d, "defaultErrnoRet")
		}},
		{"the default kills", "KILL_PROCESS", func(_ *testing.T, d object) {
			d["defaultAction"] = "SCMP_ACT_KILL_PROCESS"
			delete(d, "defaultErrnoRet")
		}},
		{"the default errno is lost", "EPERM, want ERRNO ENOSYS", func(_ *testing.T, d object) { delete(d, "defaultErrnoRet") }},
		{"the default errno is another", "EACCES", func(_ *testing.T, d object) { d["defaultErrnoRet"] = 13 }},
		{"EPERM is written as another errno", "EACCES, want ERRNO EPERM", func(t *testing.T, d object) {
			rule(t, d, "ptrace")["errnoRet"] = 13
		}},
		{"a privileged call gets ENOSYS", "x86_64/ptrace would get ERRNO ENOSYS", func(t *testing.T, d object) {
			drop(t, d, "ptrace")
		}},
		{"a call refused while recording changes its errno", "sysinfo", func(t *testing.T, d object) {
			drop(t, d, "sysinfo")
		}},
		{"a probe gets EPERM", "io_uring_setup would get ERRNO EPERM", func(t *testing.T, d object) {
			drop(t, d, "io_uring_setup")
			put(t, d, "ptrace", "io_uring_setup")
		}},
		{"an architecture is lost", "i386", func(_ *testing.T, d object) { d["architectures"] = []any{"SCMP_ARCH_X86_64"} }},
		{"an architecture too many", "SCMP_ARCH_X32", func(_ *testing.T, d object) {
			d["architectures"] = append(d["architectures"].([]any), "SCMP_ARCH_X32")
		}},
		{"no architectures", "architectures", func(_ *testing.T, d object) { delete(d, "architectures") }},
		{"a flag nobody asked for", "SPEC_ALLOW", func(_ *testing.T, d object) {
			d["flags"] = []any{"SECCOMP_FILTER_FLAG_SPEC_ALLOW"}
		}},
	}
}

// ruleMutations change conditions, and the rules beside each other.
func ruleMutations() []mutation {
	return []mutation{
		{"an argument's index is swapped", "socket", func(t *testing.T, d object) {
			arg(t, d, "socket", 0)["index"], arg(t, d, "socket", 1)["index"] = 1, 0
		}},
		{"an argument's value is another", "socket", func(t *testing.T, d object) { arg(t, d, "socket", 0)["valueTwo"] = 16 }},
		{"a mask is narrower", "socket", func(t *testing.T, d object) { arg(t, d, "socket", 0)["value"] = 0xff }},
		{"a mask takes in the upper half", "personality", func(t *testing.T, d object) {
			arg(t, d, "personality", 0)["value"] = json.Number("18446744073709551615")
		}},
		{"a mask leaves out a namespace", "clone", func(t *testing.T, d object) {
			for _, r := range d["syscalls"].([]any) {
				if args, ok := r.(object)["args"].([]any); ok && args[0].(object)["value"] == json.Number("2114060288") {
					args[0].(object)["value"] = 2114060288 &^ 0x20000
				}
			}
		}},
		{"an operator is another", "personality", func(t *testing.T, d object) { arg(t, d, "personality", 0)["op"] = "SCMP_CMP_NE" }},
		{"a condition is lost", "socket", func(t *testing.T, d object) {
			r := rule(t, d, "socket")
			r["args"] = r["args"].([]any)[:1]
		}},
		{"all conditions are lost", "personality", func(t *testing.T, d object) { delete(rule(t, d, "personality"), "args") }},
		{"an argument is tested twice, which makes it either of them", "socket", func(t *testing.T, d object) {
			r := rule(t, d, "socket")
			r["args"] = append(r["args"].([]any), r["args"].([]any)[0])
		}},
		{"an earlier rule shadows an allowed call", "brk", func(_ *testing.T, d object) {
			first := object{"names": []any{"brk"}, "action": "SCMP_ACT_ERRNO", "errnoRet": 1}
			d["syscalls"] = append([]any{first}, d["syscalls"].([]any)...)
		}},
		{"an allowed call is only logged", "brk would get LOG", func(_ *testing.T, d object) {
			first := object{"names": []any{"brk"}, "action": "SCMP_ACT_LOG"}
			d["syscalls"] = append([]any{first}, d["syscalls"].([]any)...)
		}},
		{"rules contend", "socket", func(_ *testing.T, d object) {
			more := object{"names": []any{"socket"}, "action": "SCMP_ACT_KILL_PROCESS", "args": []any{
				object{"index": 2, "value": 7, "op": "SCMP_CMP_EQ"}}}
			d["syscalls"] = append(d["syscalls"].([]any), more)
		}},
		{"a key is misspelt", "cannot be read", func(_ *testing.T, d object) { d["defaultErrno_ret"] = 38 }},
		{"an action is unknown", "cannot be read", func(t *testing.T, d object) { rule(t, d, "brk")["action"] = "SCMP_ACT_PASS" }},
	}
}

// TestMutations breaks what the synthesizer made and wants the proof to say so.
func TestMutations(t *testing.T) {
	good := claim(t, withArguments(web(t, true)),
		seccomp.Options{Arguments: true, Add: []string{"fsync"}}, seccomp.OCI)
	if p := proof.Prove(good); !p.OK() {
		t.Fatalf("the profile itself is not proven: %q", p.Failed)
	}
	for _, m := range slices.Concat(callMutations(), answerMutations(), ruleMutations()) {
		t.Run(m.name, func(t *testing.T) {
			bad := good
			bad.Profile = mutated(t, good.Profile, m.mutate)
			p := proof.Prove(bad)
			if p.OK() {
				t.Fatalf("proven all the same: %s", p.Summary)
			}
			if !strings.Contains(strings.Join(p.Failed, "\n"), m.word) {
				t.Errorf("none of the failures is about %q: %q", m.word, p.Failed)
			}
		})
	}
}

func mutated(t *testing.T, text []byte, mutate func(*testing.T, object)) []byte {
	t.Helper()
	var doc object
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.UseNumber()
	if err := dec.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	mutate(t, doc)
	out, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestEveryNameCounts takes each name out of the profile, one at a time: none
// is there for nothing.
func TestEveryNameCounts(t *testing.T) {
	good := claim(t, web(t, true), seccomp.Options{Runtime: "runc"}, seccomp.OCI)
	var doc struct{ Syscalls []struct{ Names []string } }
	if err := json.Unmarshal(good.Profile, &doc); err != nil {
		t.Fatal(err)
	}
	for _, r := range doc.Syscalls {
		for _, name := range r.Names {
			bad := good
			bad.Profile = mutated(t, good.Profile, func(t *testing.T, d object) { drop(t, d, name) })
			if p := proof.Prove(bad); p.OK() && !plain(name) {
				t.Errorf("without %s it is proven all the same", name)
			}
		}
	}
}

// plain are names whose own rule says what the default says: it counts where
// an engine drops the default errno.
func plain(name string) bool {
	nr, _ := trace.SyscallNumber(trace.ArchX8664, name)
	return nr >= 332 || name == "getrandom" || name == "renameat2" || name == "copy_file_range" ||
		name == "preadv2" || name == "pwritev2"
}

// TestTheSynthesizersOwnMistakes feeds it less, or more, than was recorded, as
// if it had misjudged which calls meet the filter.
func TestTheSynthesizersOwnMistakes(t *testing.T) {
	whole := web(t, true)
	for name, change := range map[string]func(policies.Syscall) (policies.Syscall, bool){
		"the runtime's filtered calls are left out": func(s policies.Syscall) (policies.Syscall, bool) {
			return s, s.Name != "capset" && s.Name != "socketcall"
		},
		"what comes before the filter is taken in": func(s policies.Syscall) (policies.Syscall, bool) {
			s.Phase = trace.PhaseRun
			return s, true
		},
		"programs of i386 are left out": func(s policies.Syscall) (policies.Syscall, bool) {
			return s, s.Arch == trace.ArchX8664
		},
		"a name is another's": func(s policies.Syscall) (policies.Syscall, bool) {
			if s.Name == "brk" {
				s.Nr++
			}
			return s, true
		},
	} {
		t.Run(name, func(t *testing.T) {
			less := whole
			less.Syscalls = nil
			for _, s := range whole.Syscalls {
				if s, keep := change(s); keep {
					less.Syscalls = append(less.Syscalls, s)
				}
			}
			c := claim(t, less, seccomp.Options{Runtime: "crun"}, seccomp.OCI)
			c.Facts = whole
			if p := proof.Prove(c); p.OK() {
				t.Error("proven all the same")
			}
		})
	}
}

// TestReasonsAreChecked says of a call that it was observed.
func TestReasonsAreChecked(t *testing.T) {
	c := claim(t, web(t, false), seccomp.Options{}, seccomp.OCI)
	for i, r := range c.Reasons {
		if r.Name == "capget" {
			c.Reasons[i].Because = "workload"
		}
	}
	if p := proof.Prove(c); p.OK() || !strings.Contains(p.Failed[0], "capget") {
		t.Errorf("failed: %q, want capget, which was not observed", p.Failed)
	}
}
