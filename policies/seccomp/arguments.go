package seccomp

import (
	"cmp"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/trace"
)

// maxAlternatives is how many combinations of arguments one call gets rules
// for; with more it is allowed whole.
const maxAlternatives = 64

// Bits of clone's flags and of mmap's and mprotect's protection
// (include/uapi/linux/sched.h, include/uapi/asm-generic/mman-common.h).
const (
	cloneNamespaces = 0x7e020000 // CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
	protWriteExec   = 0x6        // PROT_WRITE | PROT_EXEC
)

// floorArguments are the arguments with which runtimes make a call under the
// filter, and libc where clone3 is missing. No alternatives means that they are
// not known.
func floorArguments(name string) [][]Arg {
	switch name {
	case "clone": // threads and processes, no namespaces
		return [][]Arg{{{Index: 0, Op: MaskedEqual, Value: cloneNamespaces}}}
	case "mmap", "mmap2", "mprotect": // never writable and executable at once
		return [][]Arg{
			{{Index: 2, Op: MaskedEqual, Value: protWriteExec, ValueTwo: 0}},
			{{Index: 2, Op: MaskedEqual, Value: protWriteExec, ValueTwo: 2}},
			{{Index: 2, Op: MaskedEqual, Value: protWriteExec, ValueTwo: 4}},
		}
	case "prctl":
		// PR_SET_PDEATHSIG, PR_GET_PDEATHSIG, PR_GET_KEEPCAPS, PR_SET_KEEPCAPS,
		// PR_CAPBSET_READ, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS,
		// PR_GET_NO_NEW_PRIVS, PR_CAP_AMBIENT, and PR_SET_VMA of Go 1.25.
		return oneOf(0, 1, 2, 7, 8, 23, 24, 38, 39, 47, 0x53564d41)
	case "ioctl": // of crun: TCGETS, TCSETS, TIOCSCTTY, TIOCGWINSZ, TIOCSWINSZ
		return oneOf(1, 0x5401, 0x5402, 0x540e, 0x5413, 0x5414)
	case "fcntl", "fcntl64": // F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC
		return oneOf(1, 0, 1, 2, 3, 4, 1030)
	}
	return nil
}

// oneOf are the alternatives of an int that has one of the values.
func oneOf(index uint, values ...uint64) [][]Arg {
	var list [][]Arg
	for _, v := range values {
		list = append(list, []Arg{{Index: index, Op: MaskedEqual, Value: 0xffffffff, ValueTwo: v}})
	}
	return list
}

// restrict finds the calls whose arguments are all known, and the rules for
// them. A call that is also allowed for a reason without known arguments stays
// whole.
func (d *draft) restrict() {
	if d.opt.Arguments {
		for name, sightings := range d.sightings {
			if list, ok := alternativesOf(name, sightings); ok {
				d.args[name] = list
			}
		}
	}
	for _, name := range d.floorNames {
		list, known := d.args[name]
		// Not observed at all, it needs no more than runtimes and libc do.
		known = known || d.opt.Arguments && len(d.sightings[name]) == 0
		more := floorArguments(name)
		if !known || len(more) == 0 {
			delete(d.args, name)
			continue
		}
		d.args[name] = distinct(append(list, more...))
	}
	for _, name := range d.anyhow {
		delete(d.args, name)
	}
	d.fromBase()
}

// alternativesOf are the conditions under which a call was made; false where
// arguments were not recorded every time, or too many.
func alternativesOf(name string, sightings []policies.Syscall) ([][]Arg, bool) {
	var list [][]Arg
	for _, s := range sightings {
		if len(s.Args) == 0 || s.ArgsOverflow {
			return nil, false
		}
		for _, args := range s.Args {
			if len(args) == 0 {
				return nil, false
			}
			list = append(list, condition(name, args))
		}
	}
	list = distinct(list)
	return list, len(list) > 0 && len(list) <= maxAlternatives
}

// condition is the rule for one recorded combination. An int is compared in
// the 32 bits that the kernel reads, so that the upper half, which the C
// library may leave as it is, neither evades the rule nor breaks the program.
func condition(name string, args []trace.Arg) []Arg {
	var list []Arg
	for _, a := range args {
		mask := a.Mask
		if mask == 0 {
			mask = ^uint64(0)
		}
		if intWide(name, a.Index) {
			mask = uint64(uint32(mask))
		}
		c := Arg{Index: uint(a.Index), Op: MaskedEqual, Value: mask, ValueTwo: a.Value & mask}
		if mask == ^uint64(0) {
			c = Arg{Index: uint(a.Index), Op: Equal, Value: a.Value}
		}
		list = append(list, c)
	}
	slices.SortFunc(list, byIndex)
	return list
}

func byIndex(a, b Arg) int {
	return cmp.Or(cmp.Compare(a.Index, b.Index), strings.Compare(string(a.Op), string(b.Op)),
		cmp.Compare(a.Value, b.Value), cmp.Compare(a.ValueTwo, b.ValueTwo))
}

func compareConditions(a, b []Arg) int { return slices.CompareFunc(a, b, byIndex) }

// distinct sorts alternatives and leaves out repetitions.
func distinct(list [][]Arg) [][]Arg {
	slices.SortFunc(list, compareConditions)
	return slices.CompactFunc(list, func(a, b []Arg) bool { return compareConditions(a, b) == 0 })
}

// fromBase adds the rules of the base profile that have conditions, for calls
// that are not allowed whole anyway.
func (d *draft) fromBase() {
	for _, r := range d.extra {
		for _, name := range r.Names {
			if _, restricted := d.args[name]; d.has(name) && !restricted {
				continue
			}
			d.args[name] = distinct(append(d.args[name], r.alternatives(d.opt.Context)...))
			d.addName(name, User, "in the base profile, with conditions")
		}
	}
}

// has tells whether a call is allowed by now.
func (d *draft) has(name string) bool {
	for _, r := range d.reasons {
		if r.Name == name {
			return true
		}
	}
	return false
}

// conditional are the rules for calls that are not allowed whole, one
// alternative each.
func (d *draft) conditional() []Rule {
	var rules []Rule
	for _, name := range d.names() {
		for _, args := range d.args[name] {
			rules = append(rules, Rule{Names: []string{name}, Action: Allow, Args: args})
		}
	}
	return rules
}

// wholeNames are the calls that are allowed with any arguments.
func (d *draft) wholeNames() []string {
	return slices.DeleteFunc(d.names(), func(name string) bool { return len(d.args[name]) > 0 })
}
