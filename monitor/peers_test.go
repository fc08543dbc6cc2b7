package monitor

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"advisor/fixtures/bed"
	"advisor/monitor/container"
	"advisor/trace"
)

const (
	serverAddress = "10.213.77.1"
	clientAddress = "10.213.77.2"
	serverPort    = 39320
)

// peer is an act in mount and network namespaces of its own, which goes on when
// it is told to.
type peer struct {
	pid int
	in  io.WriteCloser
	out *bufio.Reader
}

func newPeer(t *testing.T, act ...string) *peer {
	t.Helper()
	args := self(t, act...)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		skipOrFail(t, err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	return &peer{cmd.Process.Pid, in, bufio.NewReader(out)}
}

// step has the peer take its next step, and waits for it.
func (p *peer) step(t *testing.T) {
	t.Helper()
	fmt.Fprintln(p.in)
	if line, err := p.out.ReadString('\n'); line != "done\n" {
		t.Errorf("the peer says %q: %v", line, err)
	}
}

// wire connects the networks of two peers.
func wire(t *testing.T, server, client *peer) {
	t.Helper()
	script := fmt.Sprintf(`set -e
ip link add adv0 netns %[1]d type veth peer name adv0 netns %[2]d
nsenter -t %[1]d -n ip addr add %[3]s/24 dev adv0
nsenter -t %[2]d -n ip addr add %[4]s/24 dev adv0
nsenter -t %[1]d -n ip link set adv0 up
nsenter -t %[2]d -n ip link set adv0 up`, server.pid, client.pid, serverAddress, clientAddress)
	if out, err := exec.Command("sh", "-c", script).CombinedOutput(); err != nil {
		bed.Skip(t, "cannot connect two networks here: %v: %s", err, out)
	}
}

// TestWhoseConnection connects two containers. The handshake ends in whatever
// task the packets run in, and still each end belongs to its own: also where the
// server listened before recording began, and where only one of the two programs
// is there that stand in for each other.
func TestWhoseConnection(t *testing.T) {
	for _, late := range []bool{false, true} {
		for _, without := range append(twice(), "") {
			t.Run(fmt.Sprintf("late %t, without %q", late, without), func(t *testing.T) {
				whoseConnection(t, late, without)
			})
		}
	}
}

func whoseConnection(t *testing.T, late bool, without string) {
	t.Helper()
	server, client := newPeer(t, "server"), newPeer(t, "client")
	wire(t, server, client)
	if late {
		server.step(t)
	}
	ctx, cancel := context.WithCancel(t.Context())
	got := run(t, ctx, Options{
		Selection: container.Selection{Host: true},
		without:   without,
		Ready: func(Status) {
			go func() {
				defer cancel()
				if !late {
					server.step(t)
				}
				client.step(t)
				server.step(t)
			}()
		},
	})
	owners(t, got, server.pid, client.pid)
}

// owners requires that both ends are there, each with its own container.
func owners(t *testing.T, got recorded, server, client int) {
	t.Helper()
	ids := make(map[string]int)
	for _, rec := range got.records {
		if c, ok := rec.(*trace.Container); ok {
			ids[c.ID] = c.PID
		}
	}
	var ends []string
	for _, rec := range got.records {
		switch rec := rec.(type) {
		case *trace.Connect:
			if rec.Port == serverPort && rec.Remote == serverAddress && ids[rec.Container] == client {
				ends = append(ends, "connect "+rec.Result)
			} else if rec.Port == serverPort {
				t.Errorf("connect of pid %d: %+v", ids[rec.Container], rec)
			}
		case *trace.Accept:
			if rec.Port == serverPort && rec.Remote == clientAddress && ids[rec.Container] == server {
				ends = append(ends, "accept")
			} else if rec.Port == serverPort {
				t.Errorf("accept of pid %d: %+v", ids[rec.Container], rec)
			}
		}
	}
	all := strings.Join(ends, ", ")
	if !strings.Contains(all, "accept") || !strings.Contains(all, "connect established") {
		t.Errorf("ends %q, want a connect and an accept; server %d, client %d", all, server, client)
	}
}

// actServer listens at its first step and accepts at its second.
func actServer() error {
	if err := awaitStep(); err != nil {
		return err
	}
	l, err := net.Listen("tcp", net.JoinHostPort(serverAddress, strconv.Itoa(serverPort)))
	if err != nil {
		return err
	}
	fmt.Println("done")
	if err := awaitStep(); err != nil {
		return err
	}
	c, err := l.Accept()
	if err != nil {
		return err
	}
	fmt.Println("done")
	return c.Close()
}

// actClient connects at its first step, and stays until its input ends.
func actClient() error {
	if err := awaitStep(); err != nil {
		return err
	}
	c, err := net.Dial("tcp", net.JoinHostPort(serverAddress, strconv.Itoa(serverPort)))
	if err != nil {
		return err
	}
	fmt.Println("done")
	_ = awaitStep()
	return c.Close()
}

func awaitStep() error {
	_, err := bufio.NewReader(os.Stdin).ReadString('\n')
	return err
}
