package monitor

import (
	"context"
	"fmt"
	"net"
	"testing"

	"advisor/monitor/container"
	"advisor/trace"
)

// TestServedBefore: what a server answers is what it accepts, and never a
// connection of its own: also where its socket was there before the recording.
func TestServedBefore(t *testing.T) {
	for _, late := range []bool{false, true} {
		t.Run(fmt.Sprintf("late %t", late), func(t *testing.T) {
			server := newPeer(t, "serve", "udp", net.JoinHostPort(serverAddress, fmt.Sprint(serverPort)))
			client := newPeer(t, "dial", "udp", net.JoinHostPort(serverAddress, fmt.Sprint(serverPort)))
			wire(t, server, client)
			if late {
				server.step(t)
			}
			ctx, cancel := context.WithCancel(t.Context())
			got := run(t, ctx, Options{
				Selection: container.Selection{Host: true},
				Ready: func(Status) {
					go func() {
						defer cancel()
						if !late {
							server.step(t)
						}
						client.step(t)
					}()
				},
			})
			accepts := 0
			for _, rec := range got.records {
				switch rec := rec.(type) {
				case *trace.Accept:
					if rec.Remote == clientAddress && rec.Port == serverPort && rec.Protocol == trace.UDP {
						accepts++
					}
				case *trace.Connect:
					if rec.Remote == clientAddress {
						t.Errorf("the server's answer is a connection: %+v", rec)
					}
				}
			}
			if accepts != 1 {
				t.Errorf("%d datagrams accepted, want one fact", accepts)
			}
		})
	}
}
