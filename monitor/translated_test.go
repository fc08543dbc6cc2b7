package monitor

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"testing"

	"advisor/fixtures/bed"
	"advisor/monitor/container"
	"advisor/trace"
)

// The addresses of the lab: a client, a router that is "the host", a server
// behind it, and addresses that nobody has.
const (
	behind4, virtual4 = "10.213.82.2", "10.213.83.1"
	behind6, virtual6 = "fd13:82::2", "fd13:83::1"
	behindPort        = 39321
	virtualPort       = 80
)

// TestTranslated: where the node sends a connection elsewhere, the trace has both
// the peer that the socket names and who answers, by whatever rules and in
// whichever namespace.
func TestTranslated(t *testing.T) {
	bed.Require(t, "nft", "iptables", "ip", "nsenter")
	const nft = `nft -f - <<END
table %s advisor { chain c { type nat hook %s priority -100; %s daddr %s %s dport 80 dnat to %s; }; }
END`
	tests := []struct{ name, network, behind, virtual, rules string }{
		{"nftables", "tcp", behind4, virtual4, "on $ROUTER " + fmt.Sprintf(nft,
			"ip", "prerouting", "ip", virtual4, "tcp", "10.213.82.2:39321")},
		{"IPv6", "tcp", behind6, virtual6, "on $ROUTER " + fmt.Sprintf(nft,
			"ip6", "prerouting", "ip6", virtual6, "tcp", "[fd13:82::2]:39321")},
		{"UDP", "udp", behind4, virtual4, "on $ROUTER " + fmt.Sprintf(nft,
			"ip", "prerouting", "ip", virtual4, "udp", "10.213.82.2:39321")},
		{"iptables", "tcp", behind4, virtual4, "on $ROUTER iptables -t nat -A PREROUTING " +
			"-d 10.213.83.1 -p tcp --dport 80 -j DNAT --to-destination 10.213.82.2:39321"},
		{"in the container", "tcp", behind4, virtual4, "on $CLIENT " + fmt.Sprintf(nft,
			"ip", "output", "ip", virtual4, "tcp", "10.213.82.2:39321")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := newPeer(t, "serve", tt.network, net.JoinHostPort(tt.behind, fmt.Sprint(behindPort)))
			client := newPeer(t, "dial", tt.network, net.JoinHostPort(tt.virtual, fmt.Sprint(virtualPort)))
			router := newPeer(t, "client")
			script(t, labScript+tt.rules+"\n", server, client, router)
			got := translated(t, server, client, router)
			if len(got) != 1 || got[0].Translated != tt.behind || got[0].TranslatedPort != behindPort ||
				!netip.MustParseAddr(got[0].Remote).IsValid() || got[0].Remote != tt.virtual {
				t.Errorf("connects %+v, want one to %s that %s answers", got, tt.virtual, tt.behind)
			}
		})
	}
}

// translated records one exchange, and returns the connects to the virtual port.
func translated(t *testing.T, server, client, router *peer) []*trace.Connect {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	got := run(t, ctx, Options{
		Selection: container.Selection{Host: true},
		hostNet:   fmt.Sprintf("/proc/%d/ns/net", router.pid),
		Ready: func(Status) {
			go func() {
				defer cancel()
				server.step(t)
				client.step(t)
			}()
		},
	})
	var list []*trace.Connect
	for _, rec := range got.records {
		if c, ok := rec.(*trace.Connect); ok && c.Port == virtualPort {
			list = append(list, c)
		}
	}
	return list
}
