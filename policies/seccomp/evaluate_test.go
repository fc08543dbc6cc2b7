package seccomp

import (
	"slices"
	"testing"

	"advisor/trace"
)

// TestMasks: of the wanted value only the bits in the mask count
// (seccomp_rule_add(3)), a mask without bits holds always, and for 32-bit
// programs so does one of the upper half.
func TestMasks(t *testing.T) {
	const upper = 1 << 32
	for _, tt := range []struct {
		arch       string
		mask, want uint64
		value      uint64
		holds      bool
	}{
		{trace.ArchX8664, 6, 2, 3, true},
		{trace.ArchX8664, 6, 2, 6, false},
		{trace.ArchX8664, 6, 3, 2, true},
		{trace.ArchX8664, 6, 3, 1, false},
		{trace.ArchX8664, 0, 0, 9, true},
		{trace.ArchX8664, 0, 5, 9, true},
		{trace.ArchX8664, upper, upper, upper, true},
		{trace.ArchX8664, upper, upper, 1, false},
		{trace.ArchI386, upper, upper, 1, true},
		{trace.ArchX32, upper | 1, upper, 1, false},
	} {
		p := Profile{
			Default: Errno, Architectures: []Arch{X8664, X86, X32},
			Rules: []Rule{{Names: []string{"read"}, Action: Allow,
				Args: []Arg{{Index: 1, Op: MaskedEqual, Value: tt.mask, ValueTwo: tt.want}}}},
		}
		nr, _ := trace.SyscallNumber(tt.arch, "read")
		v := Evaluate(p, Context{}, Point{Arch: tt.arch, Nr: nr, Args: [6]uint64{1: tt.value}})
		if v.Action.Admits() != tt.holds {
			t.Errorf("%s: %#x & %#x == %#x: %v", tt.arch, tt.value, tt.mask, tt.want, v.Outcome)
		}
	}
}

// TestMaskWithoutBitsIsNoCondition: the rule then decides before those with
// conditions, on the architectures that do not look at the bits.
func TestMaskWithoutBitsIsNoCondition(t *testing.T) {
	p := Profile{
		Default: Errno, Architectures: []Arch{X8664, X86},
		Rules: []Rule{
			{Names: []string{"read"}, Action: KillProcess, Args: []Arg{{Index: 0, Op: NotEqual, Value: 9}}},
			{Names: []string{"read"}, Action: Log, Args: []Arg{{Index: 1, Op: MaskedEqual, Value: 1 << 32}}},
		},
	}
	if v := Evaluate(p, Context{}, Point{Arch: trace.ArchI386, Nr: 3}); v.Action != Log {
		t.Errorf("i386: %v, want the rule without conditions", v.Outcome)
	}
	if v := Evaluate(p, Context{}, Point{Arch: trace.ArchX8664, Args: [6]uint64{1: 1 << 32}}); v.Action != KillProcess {
		t.Errorf("x86_64: %v, want the rule whose condition holds", v.Outcome)
	}
}

// TestErrnosAreCut: runtimes hand 16 bits on, and the kernel returns 4095 at most.
func TestErrnosAreCut(t *testing.T) {
	for given, want := range map[uint]uint{0: 0, 38: 38, 4095: 4095, 4096: 4095, 65535: 4095, 65537: 1} {
		if got := outcome(Errno, &given); got.Errno != want {
			t.Errorf("%d becomes %d, want %d", given, got.Errno, want)
		}
	}
	given := uint(70000)
	if got := outcome(Trace, &given); got.Errno != 70000&0xffff {
		t.Errorf("a tracer gets %d", got.Errno)
	}
}

// TestSevenConditions: crun reads six of an entry.
func TestSevenConditions(t *testing.T) {
	r := Rule{Names: []string{"read"}, Action: Log}
	for i := range uint64(7) {
		r.Args = append(r.Args, Arg{Index: 0, Op: Equal, Value: i})
	}
	p := Profile{Default: Errno, Rules: []Rule{r}}
	for _, tt := range []struct {
		runtime string
		value   uint64
		want    Action
	}{{Runc, 5, Log}, {Runc, 6, Log}, {Crun, 5, Log}, {Crun, 6, Errno}} {
		v := Evaluate(p, Context{Runtime: tt.runtime}, Point{Arch: trace.ArchX8664, Args: [6]uint64{tt.value}})
		if v.Action != tt.want {
			t.Errorf("%s, %d: %v", tt.runtime, tt.value, v.Outcome)
		}
	}
}

// TestOrderOfComparisons is the order that runc's and crun's filters were seen
// to test conditions of one argument in.
func TestOrderOfComparisons(t *testing.T) {
	p := Profile{Default: Allow, Rules: []Rule{
		{Names: []string{"read"}, Action: KillThread, Args: []Arg{{Op: Greater, Value: 3}}},
		{Names: []string{"read"}, Action: Errno, Args: []Arg{{Op: Less, Value: 10}}},
		{Names: []string{"read"}, Action: Log, Args: []Arg{{Op: Equal, Value: 7}}},
	}}
	for value, want := range map[uint64]Action{2: Errno, 5: Errno, 7: Log, 10: KillThread} {
		v := Evaluate(p, Context{}, Point{Arch: trace.ArchX8664, Args: [6]uint64{value}})
		if v.Action != want {
			t.Errorf("%d: %v, want %s", value, v.Outcome, want)
		}
	}
}

// TestStubWithoutArchitectures: runc before 1.1.15 answers nothing by itself
// where no architecture is listed, crun never does.
func TestStubWithoutArchitectures(t *testing.T) {
	for _, tt := range []struct {
		ctx    Context
		listed bool
		want   Why
	}{
		{Context{Runtime: Runc}, false, ByStub}, {Context{Runtime: Runc, RuntimeVersion: "1.1.15"}, false, ByStub},
		{Context{Runtime: Runc, RuntimeVersion: "1.1.14"}, false, ByDefault},
		{Context{Runtime: Runc, RuntimeVersion: "1.1.5"}, false, ByDefault},
		{Context{Runtime: Runc, RuntimeVersion: "1.0.3"}, true, ByStub},
		{Context{Runtime: Crun}, true, ByDefault}, {Context{}, true, ByDefault},
	} {
		p := Profile{Default: Errno, Rules: []Rule{{Names: []string{"write"}, Action: Allow}}}
		if tt.listed {
			p.Architectures = []Arch{X8664}
		}
		if v := Evaluate(p, tt.ctx, Point{Arch: trace.ArchX8664, Nr: 600}); v.Why != tt.want {
			t.Errorf("%v, listed %t: %s, want %s", tt.ctx, tt.listed, v.Why, tt.want)
		}
	}
}

// TestMinKernel: Podman and CRI-O know no such condition.
func TestMinKernel(t *testing.T) {
	p := Profile{Default: Errno, Rules: []Rule{
		{Names: []string{"read"}, Action: Allow, Includes: Filter{MinKernel: "6.0"}},
		{Names: []string{"write"}, Action: Allow, Excludes: Filter{MinKernel: "5.0"}},
	}}
	for engine, want := range map[string][2]bool{
		"docker": {false, false}, "containerd": {false, false}, "": {false, false},
		"podman": {true, true}, "cri-o": {true, true},
	} {
		ctx := Context{Engine: engine, Kernel: "5.10.0"}
		for nr, passes := range want {
			if v := Evaluate(p, ctx, Point{Arch: trace.ArchX8664, Nr: nr}); v.Action.Admits() != passes {
				t.Errorf("%q, number %d: %v", engine, nr, v.Outcome)
			}
		}
	}
}

// TestNumbersWithoutNames: comparisons are about them too, those behind the
// tables and the -1 that a tracer gives to a call it cancels.
func TestNumbersWithoutNames(t *testing.T) {
	a, b := Profile{Default: Errno, Architectures: []Arch{X8664, X86}}, Profile{Default: KillProcess, Architectures: []Arch{X8664, X86}}
	list, err := Compare(a, b, Context{})
	if err != nil {
		t.Fatal(err)
	}
	for _, arch := range []string{trace.ArchX8664, trace.ArchI386} {
		for _, nr := range []int{-1, 0, trace.MaxSyscall(arch), trace.MaxSyscall(arch) + 1} {
			if !slices.ContainsFunc(list, func(c Change) bool { return c.Arch == arch && c.Nr == nr }) {
				t.Errorf("%s: nothing about number %d", arch, nr)
			}
		}
	}
}
