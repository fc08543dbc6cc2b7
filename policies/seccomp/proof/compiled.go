package proof

import (
	"errors"
	"slices"

	"advisor/policies/seccomp/cbpf"
	"advisor/policies/seccomp/libseccomp"
	"advisor/policies/seccomp/words"
)

// compiled is the program that libseccomp makes of a document, and the stub
// that runc puts before it.
type compiled struct {
	program cbpf.Program
	unknown []string // names that this libseccomp does not know
	stub    stub
}

func linked() string { return libseccomp.Version() }

// unavailable tells whether an error says that there was nobody to ask.
func unavailable(err error) bool {
	return errors.Is(err, libseccomp.ErrNotLinked) || errors.Is(err, libseccomp.ErrNotAsked)
}

// treeAbove is the number of calls above which runc has a binary tree built
// (libcontainer/seccomp, InitSeccomp).
const treeAbove = 32

// compile does with the document's own bytes what runc and crun do: the
// architectures it lists beside the host's, an entry for each name in the order
// they stand, except those whose action is the default's.
func compile(d document, s setting) (*compiled, error) {
	f := libseccomp.Filter{Default: d.defaultReturn()}
	for _, m := range d.machines(s.host) {
		f.Archs = append(f.Archs, m.library)
	}
	names := 0
	for _, e := range d.Syscalls {
		names += len(e.names())
		if e.returns() == f.Default {
			continue
		}
		for _, name := range e.names() {
			f.Rules = append(f.Rules, rules(name, e)...)
		}
	}
	f.Tree = s.runtime == "runc" && names > treeAbove
	made, err := libseccomp.Compile(f)
	if err != nil {
		return nil, err
	}
	program, err := cbpf.Decode(made.Program)
	if err != nil {
		return nil, err
	}
	return &compiled{program, made.Unknown, stubOf(d, s, byLibrary)}, nil
}

// rules hands over an entry as runtimes do: its conditions together, or one by
// one where an argument is tested twice.
func rules(name string, e entry) []libseccomp.Rule {
	var counts [6]int
	var tests []libseccomp.Comparison
	for _, t := range e.Args {
		counts[t.Index]++
		tests = append(tests, libseccomp.Comparison{
			Index: t.Index, Op: operators()[t.Op], A: t.Value, B: t.ValueTwo})
	}
	if slices.Max(counts[:]) < 2 {
		return []libseccomp.Rule{{Name: name, Action: e.returns(), Args: tests}}
	}
	var list []libseccomp.Rule
	for _, t := range tests {
		list = append(list, libseccomp.Rule{
			Name: name, Action: e.returns(), Args: []libseccomp.Comparison{t}})
	}
	return list
}

// on runs the program on a set of calls.
func (p *compiled) on(c cell, cube *words.Cube) (ret uint32, part words.Test, done bool, err error) {
	if p.stub.answers(c.machine, c.nr) {
		return refuseENOSYS, part, true, nil
	}
	return p.program.Step(cube)
}

// at runs it on one call.
func (p *compiled) at(m machine, nr int, args [6]uint64) (uint32, error) {
	if p.stub.answers(m, nr) {
		return refuseENOSYS, nil
	}
	return p.program.Run(cbpf.NewData(m.base|uint32(nr), m.value, args))
}
