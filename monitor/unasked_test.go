package monitor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"

	"golang.org/x/sys/unix"

	"advisor/monitor/container"
	"advisor/trace"
)

// actUnasked receives a datagram, and does not ask who sent it.
func actUnasked() error {
	if err := awaitStep(); err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Port: serverPort})
	}
	if err != nil {
		return err
	}
	fmt.Println("done")
	if err := awaitStep(); err != nil {
		return err
	}
	if n, err := unix.Read(fd, make([]byte, 8)); err != nil || n != 1 {
		return errors.Join(err, fmt.Errorf("%d bytes", n))
	}
	fmt.Println("done")
	return awaitStep()
}

// actSends sends one datagram.
func actSends() error {
	if err := awaitStep(); err != nil {
		return err
	}
	c, err := net.Dial("udp", net.JoinHostPort(serverAddress, fmt.Sprint(serverPort)))
	if err == nil {
		_, err = c.Write([]byte{1})
	}
	fmt.Println("done")
	_ = awaitStep()
	return err
}

// actAsks sends a datagram from a port that it names, and reads the answer.
func actAsks() error {
	if err := awaitStep(); err != nil {
		return err
	}
	to := &net.UDPAddr{IP: net.ParseIP(serverAddress), Port: serverPort}
	c, err := net.ListenUDP("udp4", &net.UDPAddr{Port: serverPort + 1})
	if err == nil {
		_, err = c.WriteTo([]byte{1}, to)
	}
	if err == nil {
		_, _, err = c.ReadFrom(make([]byte, 8))
	}
	fmt.Println("done")
	_ = awaitStep()
	return err
}

// datagramFacts are the facts about UDP between the two peers.
func datagramFacts(got recorded) (accepts, connects []string) {
	for _, rec := range got.records {
		switch rec := rec.(type) {
		case *trace.Accept:
			if rec.Remote == serverAddress || rec.Remote == clientAddress {
				accepts = append(accepts, fmt.Sprintf("%s to %d", rec.Remote, rec.Port))
			}
		case *trace.Connect:
			if rec.Remote == serverAddress || rec.Remote == clientAddress {
				connects = append(connects, fmt.Sprintf("%s:%d", rec.Remote, rec.Port))
			}
		}
	}
	return accepts, connects
}

// TestUnaskedSender: who sends to a server is known, whether the server asks or not.
func TestUnaskedSender(t *testing.T) {
	server := newPeer(t, "unasked")
	client := newPeer(t, "sends")
	wire(t, server, client)
	ctx, cancel := context.WithCancel(t.Context())
	got := run(t, ctx, Options{
		Selection: container.Selection{Host: true}, Counts: true,
		Ready: func(Status) {
			go func() {
				defer cancel()
				server.step(t) // it listens
				client.step(t)
				server.step(t) // it has received
			}()
		},
	})
	accepts, connects := datagramFacts(got)
	if len(accepts) != 1 || accepts[0] != fmt.Sprintf("%s to %d", clientAddress, serverPort) || len(connects) != 1 {
		t.Errorf("accepts %q, connects %q; want one of each", accepts, connects)
	}
}

// TestAnswerToNamedPort: what comes back to a client that named its own port is an
// answer, and nothing that it serves.
func TestAnswerToNamedPort(t *testing.T) {
	server := newPeer(t, "serve", "udp", net.JoinHostPort(serverAddress, fmt.Sprint(serverPort)))
	client := newPeer(t, "asks")
	wire(t, server, client)
	ctx, cancel := context.WithCancel(t.Context())
	got := run(t, ctx, Options{
		Selection: container.Selection{Host: true},
		Ready: func(Status) {
			go func() {
				defer cancel()
				server.step(t)
				client.step(t)
			}()
		},
	})
	accepts, connects := datagramFacts(got)
	if len(accepts) != 1 || accepts[0] != fmt.Sprintf("%s to %d", clientAddress, serverPort) ||
		len(connects) != 1 || connects[0] != fmt.Sprintf("%s:%d", serverAddress, serverPort) {
		t.Errorf("accepts %q, connects %q; want one of each", accepts, connects)
	}
}
