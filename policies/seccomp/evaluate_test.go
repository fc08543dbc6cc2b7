package seccomp

import (
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
