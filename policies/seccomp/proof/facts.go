package proof

import (
	"slices"
	"strconv"
	"strings"

	"advisor/policies"
	"advisor/policies/seccomp/cbpf"
	"advisor/policies/seccomp/words"
	"advisor/trace"
)

// fact is a recorded call that meets the filter.
type fact struct {
	machine machine
	nr      int
	name    string
	kinds   []words.Cube // the calls that were made, a set for each kind; nil: not known
	runtime bool         // made by the runtime, under the filter
	lacking bool         // the recorded kernels had no such call
}

// facts takes from the observation what a filter has to let pass: a call that
// a filter let pass while recording, or one of the workload itself. What a
// runtime calls before it has loaded the filter is none of the filter's.
func (p *proof) facts() {
	p.refused = map[string]bool{}
	for _, d := range p.Facts.Denied {
		if m, ok := numbered(d.Arch); ok && d.Action == "EPERM" {
			p.refused[trace.SyscallName(m.audit, d.Nr)] = true
		}
	}
	for _, s := range p.Facts.Syscalls {
		before := s.Phase == trace.PhaseStart && !s.Filtered
		if before {
			continue
		}
		m, ok := numbered(s.Arch)
		if !ok || m.host != p.host {
			p.fail("recorded %s/%d: not an architecture of a %s host", s.Arch, s.Nr, p.host)
			continue
		}
		f := fact{machine: m, nr: s.Nr, name: trace.SyscallName(m.audit, s.Nr),
			runtime: s.Phase == trace.PhaseStart}
		if f.name == "" {
			f.lacking = p.lacking()
		}
		if len(s.Args) > 0 && !s.ArgsOverflow {
			f.kinds = kindsOf(m, s)
		}
		p.recorded = append(p.recorded, f)
	}
}

// lacking tells whether the kernels that were recorded cannot have had a call
// that the tables have no name for: none of them is newer than the tables.
func (p *proof) lacking() bool {
	kernels := p.Facts.Evidence.Kernels
	return len(kernels) > 0 && !slices.ContainsFunc(kernels, func(k string) bool {
		part := strings.SplitN(k, ".", 3)
		for len(part) < 2 {
			part = append(part, "0")
		}
		return !older(part[0]+"."+digits(part[1]), trace.TablesKernel)
	})
}

// kindsOf is a set of calls for each recorded combination of arguments.
func kindsOf(m machine, s policies.Syscall) []words.Cube {
	var list []words.Cube
	for _, args := range s.Args {
		cube := cell{machine: m, nr: s.Nr}.calls()
		for _, a := range args {
			if a.Index < 0 || a.Index > 5 {
				continue
			}
			mask := a.Mask
			if mask == 0 {
				mask = ^uint64(0)
			}
			if reads32(trace.SyscallName(m.audit, s.Nr), a.Index) {
				mask &= 0xffffffff // the rest was not looked at, by nobody
			}
			cube = with(cube, cbpf.ArgLow(a.Index), uint32(mask), uint32(a.Value&mask))
			cube = with(cube, cbpf.ArgHigh(a.Index), uint32(mask>>32), uint32(a.Value&mask>>32))
		}
		list = append(list, cube)
	}
	return list
}

func with(cube words.Cube, word int, mask, value uint32) words.Cube {
	if mask == 0 {
		return cube
	}
	next, ok := cube.With(words.Test{Word: word, Mask: mask, Value: value})
	if !ok {
		return cube
	}
	return next
}

// reads32 tells the arguments, of those that recordings have, of which the
// kernel reads 32 bits: what SYSCALL_DEFINE gives a 32-bit type, and clone's
// flags, which kernel/fork.c cuts (lower_32_bits).
func reads32(name string, index int) bool {
	places := map[string]string{
		"socket": "012", "socketpair": "012", "clone": "0", "setns": "01", "personality": "0",
		"prctl": "0", "arch_prctl": "0", "ioctl": "01", "fcntl": "01", "fcntl64": "01", "bpf": "02",
		"keyctl": "0",
	}
	return strings.Contains(places[name], strconv.Itoa(index))
}
