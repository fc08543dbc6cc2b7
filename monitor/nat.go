package monitor

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"advisor/trace"
)

// Where the node translates addresses (services of kube-proxy, published ports of
// Docker, its DNS at 127.0.0.11), the peer a socket names is not who answers.
// Connection tracking knows, in the network namespace where the rule is: the
// container's own, or the host's. It is asked about one connection at a time over
// netlink (linux/netfilter/nfnetlink_conntrack.h): a list of all would grow with
// the node.

// conntrackPath is there in every network namespace while connections are tracked
// anywhere. Without it nothing is asked: the question would load the module.
const conntrackPath = "/proc/sys/net/netfilter/nf_conntrack_count"

// tracked is one direction of a connection.
type tracked struct {
	protocol uint8
	from, to netip.AddrPort
}

// translator asks connection tracking.
type translator struct {
	path string // of the namespace that stands for the host's, "" for the host's
	host *netlink.Conn
	off  bool
}

func newTranslator(path string) *translator {
	_, err := os.Stat(conntrackPath)
	return &translator{path: path, off: err != nil}
}

// open connects to the host's network namespace: the recorder's own, or where it
// runs in another that of process 1.
func (t *translator) open(host uint32) {
	for _, path := range []string{t.path, "/proc/self/ns/net", "/proc/1/ns/net"} {
		var st unix.Stat_t
		if unix.Stat(path, &st) != nil || path != t.path && uint32(st.Ino) != host {
			continue
		}
		if conn, err := dialTracking(path); err == nil {
			t.host = conn
			return
		}
	}
	t.off = true // it will not be there later either
}

func (t *translator) close() {
	if t.host != nil {
		t.host.Close()
	}
}

// translate puts into rec who answers, where that is another than the peer.
func (r *recording) translate(rec *trace.Connect, s *space, netns uint32) {
	if r.nat.off || rec.Local == 0 {
		return
	}
	remote, err := netip.ParseAddr(rec.Remote)
	if err != nil || remote.IsLoopback() && netns == r.hostNetns {
		return
	}
	pid := s.sight.PID
	if netns == r.hostNetns {
		pid = 0
	}
	to := netip.AddrPortFrom(remote, uint16(rec.Port))
	if r.nat.host == nil {
		r.nat.open(r.hostNetns)
	}
	for _, from := range r.sources(rec, s) {
		if at := r.nat.backend(protocolNumber(rec.Protocol), from, to, pid, netns); at != to {
			rec.Translated, rec.TranslatedPort = at.Addr().String(), int(at.Port())
			return
		}
	}
}

// sources are the ends the connection may have here: a datagram socket that is
// not bound has no address of its own.
func (r *recording) sources(rec *trace.Connect, s *space) []netip.AddrPort {
	addresses := []string{rec.Source}
	if addr, err := netip.ParseAddr(rec.Source); (err != nil || addr.IsUnspecified()) && s.subject != nil {
		addresses = s.subject.rec.IPs
	}
	var list []netip.AddrPort
	for _, text := range addresses {
		if addr, err := netip.ParseAddr(text); err == nil {
			list = append(list, netip.AddrPortFrom(addr, uint16(rec.Local)))
		}
	}
	return list
}

func protocolNumber(name string) uint8 {
	switch name {
	case trace.UDP:
		return unix.IPPROTO_UDP
	case trace.SCTP:
		return unix.IPPROTO_SCTP
	}
	return unix.IPPROTO_TCP
}

// backend is who answers what goes to to: the container's rules come first, and
// the host's apply to what those made of it.
func (t *translator) backend(protocol uint8, from, to netip.AddrPort, pid int, netns uint32) netip.AddrPort {
	if from.Addr().Is4() != to.Addr().Is4() {
		return to
	}
	if pid != 0 {
		to = t.inside(tracked{protocol, from, to}, pid, netns)
	}
	if t.host == nil {
		return to
	}
	return answering(t.host, tracked{protocol, from, to})
}

// inside asks in the network namespace of pid, if that is still the one.
func (t *translator) inside(way tracked, pid int, netns uint32) netip.AddrPort {
	path := fmt.Sprintf("/proc/%d/ns/net", pid)
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil || uint32(st.Ino) != netns {
		return way.to
	}
	conn, err := dialTracking(path)
	if err != nil {
		return way.to
	}
	defer conn.Close()
	return answering(conn, way)
}

func dialTracking(path string) (*netlink.Conn, error) {
	ns, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	return netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: int(ns.Fd())})
}

// answering is where answers to way come from, its own end where nobody knows.
func answering(conn *netlink.Conn, way tracked) netip.AddrPort {
	request, err := trackingRequest(way)
	if err != nil {
		return way.to
	}
	reply, err := oneReply(conn, request)
	if err != nil {
		return way.to
	}
	if from, ok := parseTracked(reply.Data); ok && from.Addr().Is4() == way.to.Addr().Is4() {
		return from
	}
	return way.to
}

// answerIn is how long the kernel may take: it answers while it is asked.
const answerIn = time.Second

// oneReply asks, and reads one message. The kernel marks the answer to a question
// about one connection as the first part of several (ctnetlink_fill_info), and no
// other part comes: whoever waits for the last one waits for ever.
func oneReply(conn *netlink.Conn, request netlink.Message) (netlink.Message, error) {
	if err := conn.SetDeadline(time.Now().Add(answerIn)); err != nil {
		return netlink.Message{}, err
	}
	sent, err := conn.Send(request)
	if err != nil {
		return netlink.Message{}, err
	}
	var reply *netlink.Message
	for m, failed := range conn.ReceiveIter() {
		if failed != nil {
			err = failed
			break
		}
		if m.Header.Sequence != sent.Header.Sequence {
			continue
		}
		reply = &m
		if err = conn.SetReadDeadline(time.Unix(1, 0)); err != nil {
			break // else nothing more is waited for
		}
	}
	if reply == nil {
		return netlink.Message{}, cmp.Or(err, os.ErrNotExist)
	}
	return *reply, nil
}

// Attributes of enum ctattr_type, ctattr_tuple, ctattr_ip and ctattr_l4proto.
const (
	ctaTupleOrig  = 1
	ctaTupleReply = 2
	ctaTupleIP    = 1
	ctaTupleProto = 2
	ctaIPv4Src    = 1
	ctaIPv4Dst    = 2
	ctaIPv6Src    = 3
	ctaIPv6Dst    = 4
	ctaProtoNum   = 1
	ctaProtoSrc   = 2
	ctaProtoDst   = 3

	conntrackGet = 1<<8 | 1 // NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET
)

func trackingRequest(way tracked) (netlink.Message, error) {
	ae := netlink.NewAttributeEncoder()
	ae.Nested(ctaTupleOrig, func(ae *netlink.AttributeEncoder) error {
		ae.Nested(ctaTupleIP, func(ae *netlink.AttributeEncoder) error {
			src, dst := uint16(ctaIPv4Src), uint16(ctaIPv4Dst)
			if way.to.Addr().Is6() {
				src, dst = ctaIPv6Src, ctaIPv6Dst
			}
			ae.Bytes(src, way.from.Addr().AsSlice())
			ae.Bytes(dst, way.to.Addr().AsSlice())
			return nil
		})
		ae.Nested(ctaTupleProto, func(ae *netlink.AttributeEncoder) error {
			ae.ByteOrder = binary.BigEndian
			ae.Uint8(ctaProtoNum, way.protocol)
			ae.Uint16(ctaProtoSrc, way.from.Port())
			ae.Uint16(ctaProtoDst, way.to.Port())
			return nil
		})
		return nil
	})
	attributes, err := ae.Encode()
	family := uint8(unix.AF_INET)
	if way.to.Addr().Is6() {
		family = unix.AF_INET6
	}
	return netlink.Message{
		Header: netlink.Header{Type: conntrackGet, Flags: netlink.Request},
		Data:   slices.Concat([]byte{family, unix.NFNETLINK_V0, 0, 0}, attributes),
	}, err
}

// parseTracked reads where answers come from out of a conntrack message: the
// source of the reply's direction.
func parseTracked(raw []byte) (from netip.AddrPort, ok bool) {
	const size = 4 // struct nfgenmsg
	if len(raw) < size {
		return netip.AddrPort{}, false
	}
	attributes, err := netlink.NewAttributeDecoder(raw[size:])
	if err != nil {
		return netip.AddrPort{}, false
	}
	for attributes.Next() {
		if attributes.Type() == ctaTupleReply {
			attributes.Nested(func(ad *netlink.AttributeDecoder) error {
				from, ok = replySource(ad)
				return nil
			})
		}
	}
	return from, ok && attributes.Err() == nil
}

func replySource(ad *netlink.AttributeDecoder) (netip.AddrPort, bool) {
	var addr netip.Addr
	var port uint16
	for ad.Next() {
		switch ad.Type() {
		case ctaTupleIP:
			ad.Nested(func(ip *netlink.AttributeDecoder) error {
				for ip.Next() {
					if ip.Type() == ctaIPv4Src || ip.Type() == ctaIPv6Src {
						addr, _ = netip.AddrFromSlice(ip.Bytes())
					}
				}
				return ip.Err()
			})
		case ctaTupleProto:
			ad.Nested(func(proto *netlink.AttributeDecoder) error {
				proto.ByteOrder = binary.BigEndian
				for proto.Next() {
					if proto.Type() == ctaProtoSrc && len(proto.Bytes()) == 2 {
						port = proto.Uint16()
					}
				}
				return proto.Err()
			})
		}
	}
	return netip.AddrPortFrom(addr, port), addr.IsValid() && ad.Err() == nil
}
