package seccomp

import (
	"advisor/policies"
	"advisor/policies/seccomp/cbpf"
	"advisor/policies/seccomp/words"
	"advisor/trace"
)

// parts are the calls that were seen: one set for each recorded combination of
// arguments, everything where they were not recorded or not all kept.
func parts(s policies.Syscall) []cell {
	a, ok := abiByAudit(s.Arch)
	if !ok {
		return nil
	}
	c := cell{abi: a, nr: s.Nr}
	if len(s.Args) == 0 || s.ArgsOverflow {
		return []cell{c}
	}
	var list []cell
	for _, args := range s.Args {
		cube := c.all()
		for _, a := range args {
			cube = narrowed(cube, a, intWide(nameOf(s), a.Index))
		}
		list = append(list, cell{abi: a, nr: s.Nr, narrow: &cube})
	}
	return list
}

// narrowed keeps the calls whose argument has the recorded value. What the
// kernel does not look at, the upper half of an int, was not recorded and may
// be anything.
func narrowed(c words.Cube, a trace.Arg, isInt bool) words.Cube {
	if a.Index < 0 || a.Index > 5 {
		return c
	}
	mask := a.Mask
	if mask == 0 {
		mask = ^uint64(0)
	}
	if isInt {
		mask = uint64(uint32(mask))
	}
	for _, half := range [...]words.Test{
		{Word: cbpf.ArgLow(a.Index), Mask: uint32(mask), Value: uint32(a.Value & mask)},
		{Word: cbpf.ArgHigh(a.Index), Mask: uint32(mask >> 32), Value: uint32(a.Value & mask >> 32)},
	} {
		if next, ok := c.With(half); ok {
			c = next
		}
	}
	return c
}

// nothing is to walk with where only one filter is asked.
func nothing() decider { return decider{fixed: &Verdict{}} }

// when is the conditions of a cube as the end of a sentence.
func when(c words.Cube) string {
	if text := conditions(c); text != "" {
		return " when " + text
	}
	return ""
}
