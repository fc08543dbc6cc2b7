package monitor

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"advisor/fixtures/bed"
)

// labScript connects client and server over the router.
const labScript = `set -e
on() { pid=$1; shift; nsenter -t $pid -n "$@"; }
ip link add lab0 netns $CLIENT type veth peer name lab0 netns $ROUTER
ip link add lab1 netns $ROUTER type veth peer name lab1 netns $SERVER
on $CLIENT ip addr add 10.213.81.2/24 dev lab0
on $CLIENT ip addr add fd13:81::2/64 dev lab0 nodad
on $ROUTER ip addr add 10.213.81.1/24 dev lab0
on $ROUTER ip addr add fd13:81::1/64 dev lab0 nodad
on $ROUTER ip addr add 10.213.82.1/24 dev lab1
on $ROUTER ip addr add fd13:82::1/64 dev lab1 nodad
on $SERVER ip addr add 10.213.82.2/24 dev lab1
on $SERVER ip addr add fd13:82::2/64 dev lab1 nodad
for n in $CLIENT $ROUTER $SERVER; do on $n ip link set lo up; done
on $CLIENT ip link set lab0 up; on $ROUTER ip link set lab0 up
on $ROUTER ip link set lab1 up; on $SERVER ip link set lab1 up
on $CLIENT ip route add default via 10.213.81.1
on $CLIENT ip -6 route add default via fd13:81::1
on $SERVER ip route add default via 10.213.82.1
on $SERVER ip -6 route add default via fd13:82::1
on $ROUTER sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
`

func script(t *testing.T, text string, server, client, router *peer) {
	t.Helper()
	cmd := exec.Command("sh", "-c", text)
	cmd.Env = append(os.Environ(), fmt.Sprintf("SERVER=%d", server.pid),
		fmt.Sprintf("CLIENT=%d", client.pid), fmt.Sprintf("ROUTER=%d", router.pid))
	if out, err := cmd.CombinedOutput(); err != nil {
		bed.Skip(t, "cannot connect three networks here: %v: %s", err, out)
	}
}

// actServe echoes, from its first step on.
func actServe(network, address string) error {
	if err := awaitStep(); err != nil {
		return err
	}
	if strings.HasPrefix(network, "udp") {
		c, err := net.ListenPacket(network, address)
		if err != nil {
			return err
		}
		go func() {
			buf := make([]byte, 64)
			for {
				n, from, err := c.ReadFrom(buf)
				if err != nil {
					return
				}
				_, _ = c.WriteTo(buf[:n], from)
			}
		}()
	} else {
		l, err := net.Listen(network, address)
		if err != nil {
			return err
		}
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				buf := make([]byte, 1)
				if _, err := io.ReadFull(c, buf); err == nil {
					_, _ = c.Write(buf)
				}
			}
		}()
	}
	fmt.Println("done")
	_ = awaitStep()
	return nil
}

// actDial sends a byte at its first step, waits for the answer, and stays.
func actDial(network, address string) error {
	if err := awaitStep(); err != nil {
		return err
	}
	c, err := net.Dial(network, address)
	if err != nil {
		return err
	}
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	buf := make([]byte, 1)
	if _, err := c.Write(buf); err != nil {
		return err
	}
	if _, err := io.ReadFull(c, buf); err != nil {
		return err
	}
	fmt.Println("done")
	_ = awaitStep()
	return c.Close()
}

// TestAnswering asks the kernel about a connection that it translates, and about
// one that it does not know, several times: no answer is waited for that does not
// come.
func TestAnswering(t *testing.T) {
	bed.Require(t, "nft", "ip", "nsenter", "ss")
	server := newPeer(t, "serve", "tcp", "10.213.82.2:39321")
	client := newPeer(t, "dial", "tcp", "10.213.83.1:80")
	router := newPeer(t, "client")
	rules := `on $ROUTER nft -f - <<END
table ip advisor { chain c { type nat hook prerouting priority dstnat; ip daddr 10.213.83.1 tcp dport 80 dnat to 10.213.82.2:39321; }; }
END
`
	script(t, labScript+rules, server, client, router)
	server.step(t)
	client.step(t)
	out, err := exec.Command("nsenter", "-t", fmt.Sprint(client.pid), "-n", "ss", "-tanH").Output()
	if err != nil {
		t.Fatal(err)
	}
	from := netip.MustParseAddrPort(strings.Fields(string(out))[3])
	to := netip.MustParseAddrPort("10.213.83.1:80")
	conn, err := dialTracking(fmt.Sprintf("/proc/%d/ns/net", router.pid))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	other := netip.MustParseAddrPort("10.213.84.1:80")
	for range 3 {
		if got := answering(conn, tracked{unix.IPPROTO_TCP, from, to}); got.String() != "10.213.82.2:39321" {
			t.Errorf("%v answers for %v", got, to)
		}
		if got := answering(conn, tracked{unix.IPPROTO_TCP, from, other}); got != other {
			t.Errorf("%v answers for %v", got, other)
		}
	}
}

// TestTrackingRequest holds the question against bytes written down from
// linux/netfilter/nfnetlink_conntrack.h: lengths count their own four bytes, and
// 0x8000 marks what is nested.
func TestTrackingRequest(t *testing.T) {
	m, err := trackingRequest(tracked{unix.IPPROTO_TCP,
		netip.MustParseAddrPort("192.0.2.1:40000"), netip.MustParseAddrPort("198.51.100.7:443")})
	if err != nil {
		t.Fatal(err)
	}
	want := []byte{
		2, 0, 0, 0, // AF_INET, version 0, no resource
		52, 0, 1, 0x80, // CTA_TUPLE_ORIG
		20, 0, 1, 0x80, // CTA_TUPLE_IP
		8, 0, 1, 0, 192, 0, 2, 1, 8, 0, 2, 0, 198, 51, 100, 7,
		28, 0, 2, 0x80, // CTA_TUPLE_PROTO
		5, 0, 1, 0, 6, 0, 0, 0, 6, 0, 2, 0, 0x9c, 0x40, 0, 0, 6, 0, 3, 0, 0x01, 0xbb, 0, 0,
	}
	if !bytes.Equal(m.Data, want) {
		t.Errorf("got  %v\nwant %v", m.Data, want)
	}
}

// trackedReply has the directions of a connection whose answers come from
// 10.0.0.9:8080.
func trackedReply() []byte {
	return []byte{
		2, 0, 0, 0,
		52, 0, 2, 0x80,
		20, 0, 1, 0x80, 8, 0, 1, 0, 10, 0, 0, 9, 8, 0, 2, 0, 192, 0, 2, 1,
		28, 0, 2, 0x80, 5, 0, 1, 0, 6, 0, 0, 0, 6, 0, 2, 0, 0x1f, 0x90, 0, 0, 6, 0, 3, 0, 0x9c, 0x40, 0, 0,
	}
}

func TestParseTracked(t *testing.T) {
	got, ok := parseTracked(trackedReply())
	if want := netip.MustParseAddrPort("10.0.0.9:8080"); !ok || got != want {
		t.Errorf("answers come from %v, %t; want %v", got, ok, want)
	}
}

func FuzzParseTracked(f *testing.F) {
	f.Add(trackedReply())
	f.Add([]byte{2, 0, 0, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if from, ok := parseTracked(raw); ok && !from.Addr().IsValid() {
			t.Errorf("%x gives %v", raw, from)
		}
	})
}
