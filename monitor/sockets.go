package monitor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"advisor/trace"
)

// Sockets that were there before recording are asked of the kernel, in each
// network namespace, over netlink (sock_diag(7), linux/inet_diag.h).

// diagnosed is one such socket.
type diagnosed struct {
	protocol      string
	state         uint8
	local, remote netip.AddrPort
	cgroup        uint64 // 0 where the kernel does not say
}

// States of sockets, as in bpf/tcp.c.
const (
	stateEstablished = 1
	stateClose       = 7 // of UDP: bound, not connected
	stateListen      = 10
)

// clientPorts is where the kernel's usual range of ports for clients begins
// (net.ipv4.ip_local_port_range).
const clientPorts = 32768

// sockets writes the sockets that the containers have already.
func (r *recording) sockets() {
	pids := make(map[uint32]int)
	for _, s := range r.spaces {
		if s.sight.PID != 0 && (pids[s.netns] == 0 || s.sight.PID < pids[s.netns]) {
			pids[s.netns] = s.sight.PID
		}
	}
	for netns, pid := range pids {
		list, err := diagnose(pid, netns)
		if err != nil {
			r.o.Log.Warn("sockets that exist already stay unknown", "pid", pid, "error", err)
			r.unlisted(netns, err)
		}
		r.existingFlows(netns, list)
	}
}

// unlisted counts the sockets of a network namespace that the kernel did not list.
func (r *recording) unlisted(netns uint32, err error) {
	r.write(&trace.Loss{
		Probe: "network", Stage: "existing", Count: 1,
		Reason: fmt.Sprintf("sockets of network namespace %d from before recording: %s", netns, short(err)),
	})
}

func (r *recording) existingFlows(netns uint32, list []diagnosed) {
	served := make(map[uint16]bool)
	for _, d := range list {
		if d.state == stateListen {
			served[d.local.Port()] = true
		}
	}
	for _, d := range list {
		s := r.socketOwner(netns, d.cgroup)
		rec := d.record(served[d.local.Port()])
		if c, ok := rec.(*trace.Connect); ok && s != nil {
			r.translate(c, s, netns)
		}
		if s != nil && rec != nil {
			r.fact(s, flowKey(rec), rec)
		}
	}
}

// socketOwner is the space in that network namespace whose cgroup is the
// socket's, else the first in it. In the host's, only the cgroup tells.
func (r *recording) socketOwner(netns uint32, cgroup uint64) *space {
	var found *space
	for _, s := range r.spaces {
		switch {
		case s.netns != netns:
		case cgroup != 0 && s.cgroup == cgroup:
			return s
		case netns != r.hostNetns && (found == nil || s.id < found.id):
			found = s
		}
	}
	return found
}

// record is what a socket stands for, nil where it proves nothing: a UDP client
// may never have sent.
func (d diagnosed) record(served bool) trace.Record {
	local, remote := d.local.Addr().String(), d.remote.Addr().String()
	port, peer := int(d.local.Port()), int(d.remote.Port())
	switch {
	case d.state == stateListen,
		d.protocol == trace.UDP && d.state == stateClose && port > 0 && port < clientPorts:
		return &trace.Listen{Protocol: d.protocol, Address: local, Port: port, Existing: true}
	case d.protocol == trace.UDP || d.state != stateEstablished:
		return nil
	case served:
		return &trace.Accept{
			Protocol: d.protocol, Address: local, Port: port, Remote: remote, PeerPort: peer,
			Existing: true,
		}
	}
	return &trace.Connect{
		Protocol: d.protocol, Remote: remote, Port: peer, Source: local, Local: port,
		Result: trace.ResultEstablished, Existing: true,
	}
}

// diagnose lists the sockets in a network namespace that pid was seen in: none,
// where the process is gone, or another has its number. A kernel without sock_diag
// for a family is an error.
func diagnose(pid int, netns uint32) ([]diagnosed, error) {
	ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening a network namespace: %w", err)
	}
	defer ns.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(ns.Fd()), &st); err != nil || uint32(st.Ino) != netns {
		return nil, err
	}
	conn, err := netlink.Dial(unix.NETLINK_SOCK_DIAG, &netlink.Config{NetNS: int(ns.Fd())})
	if err != nil {
		return nil, fmt.Errorf("asking for sockets: %w", err)
	}
	defer conn.Close()
	var (
		all  []diagnosed
		errs []error
	)
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		for _, protocol := range []uint8{unix.IPPROTO_TCP, unix.IPPROTO_UDP} {
			list, err := dump(conn, family, protocol)
			all, errs = append(all, list...), append(errs, err)
		}
	}
	return all, errors.Join(errs...)
}

const sockDiagByFamily = 20 // SOCK_DIAG_BY_FAMILY

func dump(conn *netlink.Conn, family, protocol uint8) ([]diagnosed, error) {
	request := make([]byte, 56) // struct inet_diag_req_v2
	request[0], request[1] = family, protocol
	const states = 1<<stateEstablished | 1<<stateClose | 1<<stateListen
	binary.NativeEndian.PutUint32(request[4:], states)
	replies, err := conn.Execute(netlink.Message{
		Header: netlink.Header{
			Type:  sockDiagByFamily,
			Flags: netlink.Request | netlink.Dump,
		},
		Data: request,
	})
	if err != nil {
		return nil, fmt.Errorf("listing sockets of family %d, protocol %d: %w", family, protocol, err)
	}
	var list []diagnosed
	for _, reply := range replies {
		if d, ok := parseSocket(reply.Data, protocol); ok {
			list = append(list, d)
		}
	}
	return list, nil
}

// parseSocket reads a struct inet_diag_msg and the attributes behind it.
func parseSocket(raw []byte, protocol uint8) (diagnosed, bool) {
	const size, attrCgroup = 72, 21 // INET_DIAG_CGROUP_ID
	if len(raw) < size {
		return diagnosed{}, false
	}
	d := diagnosed{
		protocol: trace.TCP, state: raw[1],
		local:  addrPort(raw[0], raw[8:24], raw[4:6]),
		remote: addrPort(raw[0], raw[24:40], raw[6:8]),
	}
	if protocol == unix.IPPROTO_UDP {
		d.protocol = trace.UDP
	}
	attrs, err := netlink.NewAttributeDecoder(raw[size:])
	if err != nil {
		return d, true
	}
	for attrs.Next() {
		if attrs.Type() == attrCgroup && len(attrs.Bytes()) == 8 {
			d.cgroup = attrs.Uint64()
		}
	}
	return d, true
}

// addrPort reads an address and a port in network order; an IPv4 address in
// IPv6 clothes is an IPv4 address.
func addrPort(family uint8, address, port []byte) netip.AddrPort {
	addr := netip.AddrFrom16([16]byte(address)).Unmap()
	if family == unix.AF_INET {
		addr = netip.AddrFrom4([4]byte(address[:4]))
	}
	return netip.AddrPortFrom(addr, binary.BigEndian.Uint16(port))
}
