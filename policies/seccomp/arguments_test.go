package seccomp

import (
	"strings"
	"testing"

	"advisor/policies"
	"advisor/trace"

	"github.com/google/go-cmp/cmp"
)

// withArgs is the observation of web with recorded arguments.
func withArgs() policies.Observation {
	o := web()
	o.Syscalls = append(o.Syscalls, observation(trace.ArchX8664, "clone", "personality").Syscalls...)
	for i, s := range o.Syscalls {
		switch s.Name {
		case "socket":
			o.Syscalls[i].Args = [][]trace.Arg{
				{{Index: 0, Value: 2}, {Index: 1, Value: 1, Mask: 0xf}},
				{{Index: 0, Value: 1}, {Index: 1, Value: 1, Mask: 0xf}},
			}
		case "clone":
			o.Syscalls[i].Args = [][]trace.Arg{{{Index: 0, Mask: 0x7e020000}}}
		case "personality":
			o.Syscalls[i].Args = [][]trace.Arg{{{Index: 0, Value: 0xffffffff}}}
		case "mmap":
			o.Syscalls[i].Args = [][]trace.Arg{{{Index: 2, Value: 1, Mask: 7}}}
			o.Syscalls[i].ArgsOverflow = true
		}
	}
	return o
}

func TestArguments(t *testing.T) {
	s := synthesize(t, withArgs(), Options{Arguments: true, Runtime: Runc})
	got := map[string][][]Arg{}
	for _, r := range s.Profile.Rules {
		if len(r.Args) > 0 {
			got[r.Names[0]] = append(got[r.Names[0]], r.Args)
		}
	}
	// The runtime's options of these: see TestFloorIsRestricted.
	delete(got, "prctl")
	delete(got, "fcntl")
	want := map[string][][]Arg{
		"socket": {
			{{0, 0xffffffff, 1, MaskedEqual}, {1, 0xf, 1, MaskedEqual}},
			{{0, 0xffffffff, 2, MaskedEqual}, {1, 0xf, 1, MaskedEqual}},
		},
		"clone":       {{{0, 0x7e020000, 0, MaskedEqual}}},
		"personality": {{{0, 0xffffffff, 0xffffffff, MaskedEqual}}},
		// Nobody was seen to make it, and runc needs it for its threads' stacks.
		"mprotect": {{{2, 6, 0, MaskedEqual}}, {{2, 6, 2, MaskedEqual}}, {{2, 6, 4, MaskedEqual}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mmap overflowed and stays whole (-want +got)\n%s", diff)
	}
	if proof := prove(t, s, withArgs(), Options{Arguments: true, Runtime: Runc}); !proof.OK() {
		t.Errorf("not proven: %v", proof.Failed)
	}
	if len(Check(s.Profile, Context{}, withArgs())) > 0 {
		t.Error("the profile does not fit what it was made from")
	}
}

// TestFloorIsRestricted: calls that only the runtime or libc makes are allowed
// with the arguments that those use, such as threads without new namespaces.
func TestFloorIsRestricted(t *testing.T) {
	for _, tt := range []struct {
		name  string
		index int
		value uint64
		want  bool
	}{
		{"clone", 0, 0x3d0f00, true}, {"clone", 0, 0x11, true}, {"clone", 0, 1<<32 | 0x11, true},
		{"clone", 0, 0x10000011, false}, {"clone", 0, 1<<32 | 0x20000, false},
		{"mprotect", 2, 5, true}, {"mprotect", 2, 7, false},
		{"prctl", 0, 24, true}, {"prctl", 0, 1<<32 | 24, true}, {"prctl", 0, 22, false},
		{"ioctl", 1, 0x5401, true}, {"ioctl", 1, 0x5412, false}, {"ioctl", 1, 1<<32 | 0x5412, false},
		{"fcntl", 1, 2, true}, {"fcntl", 1, 8, false},
	} {
		for _, arguments := range []bool{true, false} {
			s := synthesize(t, web(), Options{Arguments: arguments})
			nr, _ := trace.SyscallNumber(trace.ArchX8664, tt.name)
			pt := Point{Arch: trace.ArchX8664, Nr: nr}
			pt.Args[tt.index] = tt.value
			v := Evaluate(s.Profile, Context{}, pt)
			if want := tt.want || !arguments; v.Action.Admits() != want {
				t.Errorf("arguments %t: %s with %#x: %v", arguments, tt.name, tt.value, v.Outcome)
			}
		}
	}
}

// TestArgumentsCannotBeEvaded asks with the upper half of an int set, which
// the kernel does not look at: the answer must not change.
func TestArgumentsCannotBeEvaded(t *testing.T) {
	s := synthesize(t, withArgs(), Options{Arguments: true})
	for _, f := range Lint(s.Profile, Context{}) {
		if f.Rule == RuleWidth {
			t.Error(f.Message)
		}
	}
	for _, args := range [][6]uint64{{2, 1}, {40, 1}, {1<<32 | 2, 1<<32 | 1}, {1<<32 | 40, 1}} {
		v := Evaluate(s.Profile, Context{}, Point{Arch: trace.ArchX8664, Nr: 41, Args: args})
		if want := uint32(args[0]) == 2; v.Action.Admits() != want {
			t.Errorf("socket%x: %v", args, v.Outcome)
		}
	}
}

func TestProofFailsForAnUnrecordedArgument(t *testing.T) {
	s := synthesize(t, withArgs(), Options{Arguments: true})
	o := withArgs()
	for i := range o.Syscalls {
		o.Syscalls[i].Args = nil
	}
	proof := prove(t, s, o, Options{Arguments: true})
	if proof.OK() || !strings.Contains(strings.Join(proof.Failed, "\n"), "x86_64/socket") {
		t.Errorf("failed: %v, want socket, whose arguments are not known", proof.Failed)
	}
}

func TestBaseWithConditions(t *testing.T) {
	base := parse(t, declared)
	s := synthesize(t, web(), Options{Base: &base})
	reasons := map[string]Reason{}
	for _, r := range s.Reasons {
		reasons[r.Name] = r
	}
	if r := reasons["personality"]; r.Reason != User || r.Args != 1 {
		t.Errorf("personality: %+v", r)
	}
	if r := reasons["socket"]; r.Reason != Workload || r.Args != 0 {
		t.Errorf("socket: %+v", r)
	}
	if proof := prove(t, s, web(), Options{Base: &base}); !proof.OK() {
		t.Errorf("not proven: %v", proof.Failed)
	}
}

// TestUpperHalfIsOpen: of an int only the half that the kernel reads was
// recorded, so a rule about all 64 bits may or may not admit the call.
func TestUpperHalfIsOpen(t *testing.T) {
	o := observation(trace.ArchX8664, "personality")
	o.Syscalls[0].Args = [][]trace.Arg{{{Index: 0, Value: 8}}}
	want := []string{"unknown seccomp/unknown-arguments personality: " +
		"gets ERRNO EPERM when a0>>32 != 0x0 and a0 & 0xffffffff == 0x8; seen by web, whether with such arguments was not recorded"}
	p := parse(t, `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["personality"],
		"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":8,"op":"SCMP_CMP_EQ"}]}]}`)
	if diff := cmp.Diff(want, lines(Check(p, Context{}, o))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestTooManyAlternatives: 64 combinations of arguments get rules, with one more
// the call is allowed whole.
func TestTooManyAlternatives(t *testing.T) {
	for n, restricted := range map[int]bool{64: true, 65: false} {
		o := observation(trace.ArchX8664, "read", "personality")
		last := &o.Syscalls[1]
		for i := range n {
			last.Args = append(last.Args, []trace.Arg{{Index: 0, Value: uint64(i)}})
		}
		s := synthesize(t, o, Options{Arguments: true})
		nr, _ := trace.SyscallNumber(trace.ArchX8664, "personality")
		v := Evaluate(s.Profile, Context{}, Point{Arch: trace.ArchX8664, Nr: nr, Args: [6]uint64{1000}})
		if v.Action.Admits() == restricted {
			t.Errorf("%d combinations: %v", n, v.Outcome)
		}
		if proof := prove(t, s, o, Options{Arguments: true}); !proof.OK() {
			t.Errorf("%d combinations are not proven: %v", n, proof.Failed)
		}
	}
}
