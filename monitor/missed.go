package monitor

import (
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"advisor/bpf"
)

// The kernel runs no program of a tracepoint twice at a time on a processor: an
// event that comes while the same program is at work there, in an interrupt, is
// passed over. It counts those, from Linux 5.12 on.

// keep holds a program that is attached, for what the kernel counts of it.
func (p *probes) keep(name string, prog *ebpf.Program) {
	section := p.spec.Programs[name].SectionName
	// Programs of cgroups are never passed over. Of a change of a socket's state
	// the other of two programs takes care, see bpf/tcp.c.
	if strings.HasPrefix(section, "cgroup") || slices.Contains(twice(), name) {
		return
	}
	if held, err := prog.Clone(); err == nil {
		p.held = append(p.held, held)
	}
}

// keepLinked is keep for a link that was taken up. The kernel lets only who has
// CAP_SYS_ADMIN find the program.
func (p *probes) keepLinked(name string, l link.Link) {
	if p.spec.Programs[name] == nil {
		return
	}
	info, err := l.Info()
	if err != nil {
		return
	}
	prog, err := ebpf.NewProgramFromID(info.Program)
	if err != nil {
		return
	}
	defer prog.Close()
	p.keep(name, prog)
}

// twice are the programs that stand in for each other.
func twice() []string { return []string{bpf.RecorderProgTcp, bpf.RecorderProgTcpAgain} }

// missed is how many events programs were passed over for.
func (p *probes) missed() uint64 {
	var sum uint64
	for _, prog := range p.held {
		if stats, err := prog.Stats(); err == nil {
			sum += stats.RecursionMisses
		}
	}
	return sum
}
