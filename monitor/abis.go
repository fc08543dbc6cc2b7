package monitor

import "advisor/trace"

// numberings are how many ABIs have a table of numbers of their own, in the order of enum arch
// in bpf/state.h. x32 shares the native one, and its numbers have no place in it.
const numberings = 2

// byNumber lays a table out for the probes: what is known of a call at its number,
// for each ABI. A name that an ABI does not have has no place there.
func byNumber[T any](byName map[string]T) [numberings * calls]T {
	var table [numberings * calls]T
	for abi := range uint8(numberings) {
		for name, value := range byName {
			nr, ok := trace.SyscallNumber(archName(abi), name)
			if ok && nr < calls && !pointed(archName(abi), name) {
				table[int(abi)*calls+nr] = value
			}
		}
	}
	return table
}

// pointed tells the calls that take their arguments in memory on an ABI, although
// they have a name that takes them in registers elsewhere (sys_old_mmap).
func pointed(arch, name string) bool { return arch == trace.ArchI386 && name == "mmap" }
