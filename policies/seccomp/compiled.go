package seccomp

import (
	"fmt"
	"slices"

	"advisor/policies/seccomp/cbpf"
	"advisor/policies/seccomp/libseccomp"
)

// The kernel's return values (include/uapi/linux/seccomp.h), action in the
// upper half, errno or message in the lower.
var returns = [...]struct {
	action Action
	value  uint32
}{
	{KillProcess, 0x80000000}, {KillThread, 0x00000000}, {Trap, 0x00030000},
	{Errno, 0x00050000}, {Notify, 0x7fc00000}, {Trace, 0x7ff00000},
	{Log, 0x7ffc0000}, {Allow, 0x7fff0000},
}

func (o Outcome) packed() uint32 {
	for _, r := range returns {
		if r.action == o.Action {
			return r.value | uint32(o.Errno)&0xffff
		}
	}
	return 0
}

// unpacked reads a filter's return value as the kernel does: what it does not
// know kills the process.
func unpacked(ret uint32) Outcome {
	for _, r := range returns {
		if r.value != ret&0xffff0000 {
			continue
		}
		o := Outcome{Action: r.action}
		if o.Action.takesErrno() {
			o.Errno = uint(ret & 0xffff)
		}
		if o.Action == Errno {
			o.Errno = min(o.Errno, maxErrno)
		}
		return o
	}
	return Outcome{Action: KillProcess}
}

// Binary is the program that a runtime loads for a profile under a context, as
// libseccomp compiles it, with runc's stub in front.
type Binary struct {
	Program cbpf.Program
	// Unknown are names that this build's libseccomp does not know and a
	// runtime built with it leaves out.
	Unknown []string
}

// treeFrom is the number of calls from which on runc has libseccomp build a
// binary tree (libcontainer/seccomp, InitSeccomp).
const treeFrom = 33

// Compile has libseccomp compile the profile. Without it in this build the
// error is [libseccomp.ErrNotLinked].
func Compile(p Profile, ctx Context) (Binary, error) {
	if err := p.refusal(ctx); err != nil {
		return Binary{}, err
	}
	r, err := p.resolve(ctx)
	if err != nil {
		return Binary{}, err
	}
	f := p.libseccompFilter(r, ctx)
	made, err := libseccomp.Compile(f)
	if err != nil {
		return Binary{}, fmt.Errorf("compiling the seccomp profile: %w", err)
	}
	prog, err := cbpf.Decode(made.Program)
	if err != nil {
		return Binary{}, fmt.Errorf("reading the compiled seccomp profile: %w", err)
	}
	return Binary{append(p.prefix(r, ctx), prog...), made.Unknown}, nil
}

func (p Profile) libseccompFilter(r resolved, ctx Context) libseccomp.Filter {
	standard := outcome(p.Default, p.DefaultErrno).packed()
	f := libseccomp.Filter{Default: standard}
	for _, a := range r.archs {
		f.Archs = append(f.Archs, a.libseccompToken())
	}
	calls := 0
	for _, i := range r.rules {
		rule := p.Rules[i]
		calls += len(rule.Names)
		action := outcome(rule.Action, rule.Errno).packed()
		if action == standard {
			continue
		}
		for _, name := range rule.Names {
			for _, args := range rule.alternatives(ctx) {
				f.Rules = append(f.Rules, libseccomp.Rule{
					Name: name, Action: action, Args: comparisons(args)})
			}
		}
	}
	f.Tree = ctx.Runtime == Runc && calls >= treeFrom
	return f
}

func comparisons(args []Arg) []libseccomp.Comparison {
	var list []libseccomp.Comparison
	for _, a := range args {
		list = append(list, libseccomp.Comparison{
			Index: a.Index, Op: slices.Index(ops[:], a.Op) + 1, A: a.Value, B: a.ValueTwo})
	}
	return list
}

// libseccompToken is SCMP_ARCH_… of seccomp.h: the audit value, except that
// x32 has one of its own.
func (a abi) libseccompToken() uint32 {
	if a.token == X32 {
		return 0x4000003e
	}
	return a.value
}

// Evaluate runs the program on one call.
func (b Binary) Evaluate(pt Point) (Outcome, error) {
	a, ok := abiByAudit(pt.Arch)
	if !ok {
		return Outcome{}, fmt.Errorf("architecture %q: not known", pt.Arch)
	}
	ret, err := b.Program.Run(cbpf.NewData(a.base|uint32(pt.Nr), a.value, pt.Args))
	return unpacked(ret), err
}
