package seccomp

import (
	"advisor/policies/seccomp/cbpf"
	"advisor/policies/seccomp/words"
)

const full = ^uint32(0)

// decide settles a clause for all calls of a cube, or names the open test.
func (c clause) decide(cube *words.Cube, a abi) (holds bool, part words.Test, ok bool) {
	for _, arg := range c.args {
		holds, part, ok = arg.decide(cube, a.wide())
		if !ok || !holds {
			return holds, part, ok
		}
	}
	return true, words.Test{}, true
}

// decide settles one comparison by the halves of its argument, upper first.
func (a Arg) decide(cube *words.Cube, wide bool) (holds bool, part words.Test, ok bool) {
	switch a.Op {
	case Equal:
		return masked(cube, a.Index, ^uint64(0), a.Value, wide)
	case MaskedEqual:
		return masked(cube, a.Index, a.Value, a.ValueTwo&a.Value, wide)
	case NotEqual:
		holds, part, ok = masked(cube, a.Index, ^uint64(0), a.Value, wide)
		return !holds, part, ok
	case Greater, LessOrEqual:
		holds, part, ok = ordered(cube, a, words.Greater, wide)
	default:
		holds, part, ok = ordered(cube, a, words.AtLeast, wide)
	}
	if a.Op == LessOrEqual || a.Op == Less {
		holds = !holds
	}
	return holds, part, ok
}

// masked settles argument & mask == value.
func masked(cube *words.Cube, index uint, mask, value uint64, wide bool) (bool, words.Test, bool) {
	high := words.Test{
		Word: cbpf.ArgHigh(int(index)), Mask: uint32(mask >> 32), Value: uint32(value >> 32)}
	if wide {
		if holds, ok := cube.Decide(high); !ok || !holds {
			return holds, high, ok
		}
	}
	low := words.Test{Word: cbpf.ArgLow(int(index)), Mask: uint32(mask), Value: uint32(value)}
	holds, ok := cube.Decide(low)
	return holds, low, ok
}

// ordered settles argument > value or argument >= value.
func ordered(cube *words.Cube, a Arg, op words.Op, wide bool) (bool, words.Test, bool) {
	if wide {
		word, half := cbpf.ArgHigh(int(a.Index)), uint32(a.Value>>32)
		above := words.Test{Word: word, Op: words.Greater, Value: half}
		if holds, ok := cube.Decide(above); !ok || holds {
			return holds, above, ok
		}
		same := words.Test{Word: word, Mask: full, Value: half}
		if holds, ok := cube.Decide(same); !ok || !holds {
			return holds, same, ok
		}
	}
	low := words.Test{Word: cbpf.ArgLow(int(a.Index)), Op: op, Value: uint32(a.Value)}
	holds, ok := cube.Decide(low)
	return holds, low, ok
}
