package proof

import (
	"fmt"

	"advisor/policies/seccomp/cbpf"
	"advisor/policies/seccomp/words"
	"advisor/trace"
)

// cell is all calls of one number, or of the numbers behind every table.
type cell struct {
	machine machine
	nr      int
	last    uint32 // of the numbers behind the tables
	beyond  bool   // no table has them
	name    string // "" for numbers without a name
}

// cells are all calls of an architecture: each number of the table and of its
// gaps, those behind it, and -1, which a tracer gives to a call it cancels.
func cells(m machine) []cell {
	var list []cell
	top := trace.MaxSyscall(m.audit)
	for nr := range top + 1 {
		list = append(list, cell{machine: m, nr: nr, name: trace.SyscallName(m.audit, nr)})
	}
	end := uint32(0xfffffffe)
	switch m.audit {
	case trace.ArchX8664:
		end = bitX32 - 1 // then come those of x32
	case trace.ArchX32:
		end = bitX32 - 1 // those behind are negative, and no calls
	case trace.ArchArm:
		end = 0xeffff // then its private ones
	}
	list = append(list, cell{machine: m, nr: top + 1, last: end, beyond: true})
	if m.audit == trace.ArchArm {
		list = append(list, private(m)...)
	}
	if m.audit != trace.ArchX32 {
		list = append(list, cell{machine: m, nr: -1})
	}
	return list
}

// private are the calls that 32-bit ARM keeps for itself, and what is behind.
func private(m machine) []cell {
	var list []cell
	const first, behind = 0xf0000, 0xf0010
	for nr := first; nr < behind; nr++ {
		list = append(list, cell{machine: m, nr: nr, name: trace.SyscallName(m.audit, nr)})
	}
	return append(list, cell{machine: m, nr: behind, last: 0xfffffffe, beyond: true})
}

// calls is the cell as a set.
func (c cell) calls() words.Cube {
	cube := words.All().Fixed(cbpf.WordArch, c.machine.value)
	first := c.machine.base | uint32(c.nr)
	if !c.beyond {
		return cube.Fixed(cbpf.WordNr, first)
	}
	return cube.Between(cbpf.WordNr, first, c.machine.base+c.last)
}

func (c cell) String() string {
	name := c.name
	if name == "" {
		name = fmt.Sprint(c.nr)
	}
	if c.beyond {
		name += " and above"
	}
	return c.machine.audit + "/" + name
}

// member is one call of a set.
func member(cube *words.Cube) (nr uint32, args [6]uint64) {
	w := cube.Witness()
	for i := range args {
		args[i] = uint64(w[cbpf.ArgHigh(i)])<<32 | uint64(w[cbpf.ArgLow(i)])
	}
	return w[cbpf.WordNr], args
}

// maxParts bounds what the calls of one number may fall into.
const maxParts = 1 << 16

// parts walks a set until every question is settled on each part. Each
// question is asked in turn; a test that is open parts the set.
func parts(cube words.Cube, budget *int, settle func(*words.Cube) (words.Test, bool, error)) error {
	if *budget--; *budget < 0 {
		return fmt.Errorf("more than %d cases", maxParts)
	}
	part, done, err := settle(&cube)
	if done || err != nil {
		return err
	}
	yes, no := cube.Split(part)
	if err := parts(yes, budget, settle); err != nil {
		return err
	}
	return parts(no, budget, settle)
}
