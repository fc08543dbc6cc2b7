package seccomp

import (
	"advisor/policies/seccomp/cbpf"
	"advisor/policies/seccomp/libseccomp"
)

// section is runc's stub for the numbers of one audit value: the highest
// number of each architecture that shares it, by the bit of x32.
type section struct {
	audit uint32
	last  []uint32 // with the bit, lower first; one or two
}

// prefix is the stub that runc puts before the compiled filter, as a program.
// It is made from libseccomp's numbers, apart from our own model in stubs, so
// that each can show the other wrong.
func (p Profile) prefix(r resolved, ctx Context) cbpf.Program {
	if ctx.Runtime != Runc || passes(p.Default) {
		return nil
	}
	listed := r.listed
	if len(listed) == 0 && atLeast(ctx.RuntimeVersion, "1.1.15") {
		listed = []Arch{r.archs[0].token}
	}
	var prog cbpf.Program
	for _, s := range p.sections(r, listed) {
		body := s.body()
		prog = append(prog,
			cbpf.Instruction{Code: cbpf.LdAbs, K: 4 * cbpf.WordArch},
			cbpf.Instruction{Code: cbpf.Jeq, Jf: uint8(len(body)), K: s.audit})
		prog = append(prog, body...)
	}
	return prog
}

func (p Profile) sections(r resolved, listed []Arch) []section {
	var list []section
	for _, token := range listed {
		a, ok := abiOf(token)
		last := p.lastNumber(r, a)
		if !ok || last == 0 {
			continue
		}
		if n := len(list) - 1; n >= 0 && list[n].audit == a.value {
			list[n].last = append(list[n].last, last)
			continue
		}
		list = append(list, section{a.value, []uint32{last}})
	}
	return joined(list)
}

// joined brings sections of one audit value together, whatever order their
// architectures were listed in.
func joined(list []section) []section {
	var out []section
next:
	for _, s := range list {
		for i := range out {
			if out[i].audit == s.audit {
				out[i].last = append(out[i].last, s.last...)
				continue next
			}
		}
		out = append(out, s)
	}
	for _, s := range out {
		if len(s.last) == 2 && s.last[0] > s.last[1] {
			s.last[0], s.last[1] = s.last[1], s.last[0]
		}
	}
	return out
}

// lastNumber is the highest number that libseccomp has for any name of the
// rules, 0 where there is none.
func (p Profile) lastNumber(r resolved, a abi) uint32 {
	var last int
	for _, i := range r.rules {
		for _, name := range p.Rules[i].Names {
			if nr, ok := libseccomp.Number(a.libseccompToken(), name); ok {
				last = max(last, nr)
			}
		}
	}
	return uint32(last)
}

// body compares the number and ends in a return, or falls through to the
// filter behind it.
func (s section) body() cbpf.Program {
	enosys := cbpf.Instruction{Code: cbpf.RetK, K: Outcome{Errno, eNOSYS}.packed()}
	load := cbpf.Instruction{Code: cbpf.LdAbs, K: 4 * cbpf.WordNr}
	above := func(last uint32, yes, no uint8) cbpf.Instruction {
		return cbpf.Instruction{Code: cbpf.Jgt, Jt: yes, Jf: no, K: last}
	}
	x8664, _ := abiOf(X8664)
	switch {
	case len(s.last) == 1 && s.audit != x8664.value:
		return cbpf.Program{load, above(s.last[0], 0, 1), enosys}
	case len(s.last) == 1 && s.last[0]&x32Bit == 0: // x32 goes on to the filter
		return cbpf.Program{load, {Code: cbpf.Jset, Jt: 2, K: x32Bit}, above(s.last[0], 0, 1), enosys}
	case len(s.last) == 1:
		return cbpf.Program{load, {Code: cbpf.Jset, Jf: 2, K: x32Bit}, above(s.last[0], 0, 1), enosys}
	}
	return cbpf.Program{
		load,
		{Code: cbpf.Jset, Jt: 1, K: x32Bit},
		above(s.last[0], 1, 2),
		above(s.last[1], 0, 1),
		enosys,
	}
}
