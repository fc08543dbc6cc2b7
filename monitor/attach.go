package monitor

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"advisor/bpf"
	"advisor/trace"
)

// kthreadd shares its namespaces with the first task of all. Process 1 may have
// left them.
const kthreadd = 2

// attachAll locates the host and attaches every probe the kernel lets us. It
// returns the hooks in use.
func (p *probes) attachAll(o Options) (trace.Probes, error) {
	defer p.dropAhead()
	p.loadAhead(udpPrograms()...)
	if exitsWanted(o) {
		p.loadAhead(p.wayOut)
	}
	if err := p.locateHost(); err != nil {
		return trace.Probes{}, err
	}
	if err := p.attachCore(); err != nil {
		return trace.Probes{}, err
	}
	if err := p.state.attached(); err != nil {
		return trace.Probes{}, err
	}
	names := trace.Probes{
		Syscalls:     "raw_tp/sys_enter",
		Capabilities: p.attachCaps(),
		Network:      p.attachNet(),
	}
	if exitsWanted(o) {
		// A kernel may refuse this one alone, as 5.10 does where it is too large for
		// its verifier. What was not asked for by name is then left out, and said.
		if err := p.loadExits(); err != nil {
			if o.Denied == "on" || o.Outcomes == "on" || exitsNeeded(o) {
				return trace.Probes{}, err
			}
			names.Syscalls += " (no raw_tp/sys_exit: " + short(err) + ")"
		}
	}
	if p.exits != nil && (o.Denied == "on" || outcomesWanted(o) || exitsNeeded(o)) {
		if err := p.watchExits(true); err != nil {
			return trace.Probes{}, err
		}
		names.Syscalls += " raw_tp/sys_exit"
	}
	if o.Files {
		names.Files = "raw_tp/sys_exit tp_btf/sched_process_exec"
	}
	p.dropAhead()
	p.settle()
	return names, nil
}

func (p *probes) locateHost() error {
	var first *bpf.RecorderTask
	err := p.state.tasks(func(t *bpf.RecorderTask) {
		if t.Tgid == kthreadd {
			task := *t
			first = &task
		}
	})
	if err != nil {
		return err
	}
	if first != nil {
		return p.state.locate(*first)
	}
	return errors.New("the host's first tasks are out of sight: " +
		"run advisor in the host's pid namespace (hostPID: true, --pid=host)")
}

// attachCaps takes the first hook that attaches: with the options of the check
// where the kernel gives them, else with the stack to tell what asked.
func (p *probes) attachCaps() string {
	var failed []string
	for _, names := range [][]string{
		{bpf.RecorderProgCapsFexit},
		{bpf.RecorderProgCapsTp},
		{bpf.RecorderProgCapsAsk, bpf.RecorderProgCapsAnswer},
	} {
		err := p.add("", names...)
		if err == nil {
			return p.spec.Programs[names[0]].SectionName
		}
		failed = append(failed, short(err))
	}
	return "off: " + strings.Join(failed, "; ")
}

// attachNet attaches TCP and UDP apart, so that one can do without the other.
func (p *probes) attachNet() string {
	programs := slices.DeleteFunc(twice(), func(name string) bool { return name == p.without })
	if err := p.add("", programs...); err != nil {
		return "off: " + short(err)
	}
	name := p.spec.Programs[bpf.RecorderProgTcp].SectionName
	if err := p.attachUDP(); err != nil {
		return name + " (no UDP: " + short(err) + ")"
	}
	name += " cgroup/sendmsg cgroup_skb/egress"
	if err := p.attachSCTP(); err != nil {
		return name + " (SCTP goes unnoticed: " + short(err) + ")"
	}
	return name
}

// attachSCTP has SCTP sockets counted, which are not recorded.
func (p *probes) attachSCTP() error {
	root, done, err := unifiedTree()
	if err != nil {
		return err
	}
	defer done()
	return p.add(root, bpf.RecorderProgCreate)
}

func (p *probes) attachUDP() error {
	root, done, err := unifiedTree()
	if err != nil {
		return err
	}
	defer done()
	return p.add(root, udpPrograms()...)
}

// udpPrograms are those for UDP.
func udpPrograms() []string {
	return []string{
		bpf.RecorderProgBind4, bpf.RecorderProgBind6,
		bpf.RecorderProgConnect4, bpf.RecorderProgConnect6,
		bpf.RecorderProgSend4, bpf.RecorderProgSend6,
		bpf.RecorderProgRecv4, bpf.RecorderProgRecv6, bpf.RecorderProgEgress, bpf.RecorderProgIngress,
	}
}

// short is the last part of an error, for a place where one line is too much.
func short(err error) string {
	var verifier *ebpf.VerifierError
	if errors.As(err, &verifier) {
		return "refused by the verifier: " + verifier.Unwrap().Error()
	}
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

// explain adds to an error of loading what the user can do about it.
func explain(err error) error {
	switch {
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w: %w", ErrPrivilege, err)
	case errors.Is(err, ebpf.ErrNotSupported):
		return fmt.Errorf("this kernel lacks what recording needs (5.8 with BTF): %w", err)
	}
	return err
}
