package monitor

import (
	"bufio"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
)

// emptyProgram does nothing: what no recorder of system calls can beat.
func emptyProgram() asm.Instructions {
	return asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()}
}

// countingProgram adds one to the number of the call in a hash map, as a script
// that counts calls does at its best.
func countingProgram(m *ebpf.Map) asm.Instructions {
	return asm.Instructions{
		asm.LoadMem(asm.R2, asm.R1, 8, asm.DWord), // the second argument: the number
		asm.StoreMem(asm.RFP, -8, asm.R2, asm.DWord),
		asm.Mov.Imm(asm.R3, 1), asm.StoreMem(asm.RFP, -16, asm.R3, asm.DWord),
		asm.LoadMapPtr(asm.R1, m.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, -8),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "new"),
		asm.LoadMem(asm.R1, asm.R0, 0, asm.DWord), asm.Add.Imm(asm.R1, 1),
		asm.StoreMem(asm.R0, 0, asm.R1, asm.DWord),
		asm.Ja.Label("out"),
		asm.LoadMapPtr(asm.R1, m.FD()).WithSymbol("new"),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, -8),
		asm.Mov.Reg(asm.R3, asm.RFP), asm.Add.Imm(asm.R3, -16),
		asm.Mov.Imm(asm.R4, 0),
		asm.FnMapUpdateElem.Call(),
		asm.Mov.Imm(asm.R0, 0).WithSymbol("out"), asm.Return(),
	}
}

// probe attaches a program to sys_enter.
func probe(b *testing.B, program asm.Instructions) link.Link {
	b.Helper()
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.RawTracepoint, License: "GPL", Instructions: program,
	})
	if err != nil {
		skipOrFail(b, err)
	}
	defer prog.Close()
	l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: "sys_enter", Program: prog})
	if err != nil {
		skipOrFail(b, err)
	}
	return l
}

// countCalls calls measure under a program that counts all calls by number.
func countCalls(b *testing.B, measure func()) {
	b.Helper()
	m, err := ebpf.NewMap(&ebpf.MapSpec{
		Type: ebpf.PerCPUHash, KeySize: 8, ValueSize: 8, MaxEntries: 1024,
	})
	if err != nil {
		skipOrFail(b, err)
	}
	defer m.Close()
	l := probe(b, countingProgram(m))
	defer l.Close()
	measure()
}

// bpftraceRun gives bpftrace the debugfs it looks for tracepoints in, seen by
// nobody else, where the machine has none.
const bpftraceRun = `test -e /sys/kernel/debug/tracing/events || mount -t debugfs none /sys/kernel/debug; exec bpftrace -e "$1"`

// bpftrace calls measure while that counts all calls by number. Where it cannot
// attach, the log says why, and there is no figure.
func bpftrace(b *testing.B, measure func()) {
	b.Helper()
	cmd := exec.Command("unshare", "--mount", "sh", "-c", bpftraceRun, "sh",
		`BEGIN { printf("ready\n"); } tracepoint:raw_syscalls:sys_enter { @[args->id] = count(); }`)
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		b.Logf("no comparison with bpftrace: %v", err)
		return
	}
	lines := bufio.NewReader(out)
	ready := false
	for !ready {
		line, err := lines.ReadString('\n')
		if err != nil {
			break
		}
		ready = line == "ready\n"
	}
	if ready {
		measure()
	}
	_ = cmd.Process.Signal(syscall.SIGINT)
	_, _ = io.Copy(io.Discard, lines)
	if err := cmd.Wait(); !ready {
		b.Logf("no comparison with bpftrace: %v: %s", err, said.String())
	}
}
