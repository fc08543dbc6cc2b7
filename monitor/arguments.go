package monitor

import (
	"fmt"

	"advisor/bpf"
	"advisor/trace"
)

// watched are the arguments worth keeping, a bit each: those that are numbers of
// a small set and that a seccomp rule can compare. Their lower 32 bits are kept,
// which say it all. clone3 takes its flags in memory, where no filter sees them.
func watched() map[string]uint8 {
	return map[string]uint8{
		"socket":      1<<0 | 1<<1 | 1<<2, // family, type, protocol
		"socketpair":  1<<0 | 1<<1,
		"clone":       1 << 0,
		"unshare":     1 << 0,
		"setns":       1 << 1,
		"personality": 1 << 0,
		"prctl":       1 << 0,
		"arch_prctl":  1 << 0,
		"ioctl":       1 << 1,
		"fcntl":       1 << 1,
		"fcntl64":     1 << 1,
		"bpf":         1 << 0,
		"keyctl":      1 << 0,
		"mmap":        1 << 2, // protection
		"mmap2":       1 << 2,
		"mprotect":    1 << 2,
	}
}

// watchArguments has the probe keep them.
func (p *probes) watchArguments() error {
	if err := p.spec.Variables[bpf.RecorderVarWatched].Set(byNumber(watched())); err != nil {
		return fmt.Errorf("setting up the probes: %w", err)
	}
	return nil
}

// readArgs takes the calls whose arguments are watched.
func (r *recording) readArgs() error {
	var key bpf.RecorderArgKey
	var by bpf.RecorderSighting
	it := r.p.coll.Maps[bpf.RecorderMapArgs].Iterate()
	for it.Next(&key, &by) {
		if !r.facts.of(key.Id).args.add(idOf(r.facts.ids, key)) {
			continue
		}
		call := r.syscall(key.Arch, key.Class, key.Nr, r.sighting(&by))
		call.Args, call.ArgsOverflow = values(call.Name, &key), key.Overflow != 0
		same := key
		same.Id = 0
		r.fact(r.space(key.Id), same, call)
	}
	return wrap(it.Err(), "reading arguments")
}

// values are the arguments in key, nil where there were too many kinds.
func values(name string, key *bpf.RecorderArgKey) []trace.Arg {
	if key.Overflow != 0 {
		return nil
	}
	var args []trace.Arg
	mask := watched()[name]
	for i := range 4 {
		if mask&(1<<i) != 0 {
			args = append(args, trace.Arg{
				Index: i, Value: uint64(key.Values[len(args)]), Mask: 1<<32 - 1})
		}
	}
	return args
}
