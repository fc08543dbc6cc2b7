package monitor

import (
	"encoding/binary"
	"fmt"
	"net"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"

	"advisor/trace"
)

// Ports of a service and of its backend.
const servicePort, backendPort = 39331, 39332

// actRedirected connects to the service, and is led to the backend.
func actRedirected() error {
	backend, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", backendPort))
	if err != nil {
		return err
	}
	defer backend.Close()
	conn, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", servicePort))
	if err != nil {
		return err
	}
	return conn.Close()
}

// redirect has connections to the service end up at the backend, as balancers of
// load do that work on sockets.
func redirect(t *testing.T) {
	t.Helper()
	const userPort = 24 // in struct bpf_sock_addr (linux/bpf.h), in network order
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.CGroupSockAddr, AttachType: ebpf.AttachCGroupInet4Connect, License: "GPL",
		Instructions: asm.Instructions{
			asm.LoadMem(asm.R2, asm.R1, userPort, asm.Word),
			asm.JNE.Imm(asm.R2, int32(networkOrder(servicePort)), "out"),
			asm.Mov.Imm(asm.R3, int32(networkOrder(backendPort))),
			asm.StoreMem(asm.R1, userPort, asm.R3, asm.Word),
			asm.Mov.Imm(asm.R0, 1).WithSymbol("out"),
			asm.Return(),
		},
	})
	if err != nil {
		t.Errorf("loading a balancer: %v", err)
		return
	}
	t.Cleanup(func() { prog.Close() })
	root, err := cgroup2()
	if err != nil {
		t.Error(err)
		return
	}
	l, err := link.AttachCgroup(link.CgroupOptions{
		Path: root, Attach: ebpf.AttachCGroupInet4Connect, Program: prog,
	})
	if err != nil {
		t.Errorf("attaching a balancer: %v", err)
		return
	}
	t.Cleanup(func() { l.Close() })
}

func networkOrder(port uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, port))
}

// TestRequested: where a socket is led elsewhere, the trace has both, where the
// program wanted to go and where it got.
func TestRequested(t *testing.T) {
	got := runWith(t, Options{Command: self(t, "redirected"), Ready: func(Status) { redirect(t) }})
	var have []string
	for _, c := range of[*trace.Connect](got, baseName(self(t)[0])) {
		have = append(have, fmt.Sprintf("%s:%d for %s:%d %s", c.Remote, c.Port, c.Requested, c.RequestedPort, c.Result))
	}
	want := fmt.Sprintf("127.0.0.1:%d for 127.0.0.1:%d established", backendPort, servicePort)
	if len(have) != 1 || have[0] != want {
		t.Errorf("connections %q, want %q", have, want)
	}
}
