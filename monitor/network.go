package monitor

import (
	"syscall"

	"golang.org/x/sys/unix"

	"advisor/bpf"
	"advisor/trace"
)

// peerKey is what a connection of a namespace and its result have in common.
type peerKey struct {
	netns            uint32
	family, protocol uint8
	address          [16]uint8
	port             uint16
}

func (r *recording) readNets(last bool) error {
	var key bpf.RecorderNetKey
	var val bpf.RecorderNetVal
	open := make(map[bpf.RecorderNetKey]bpf.RecorderNetVal)
	it := r.p.coll.Maps[bpf.RecorderMapNets].Iterate()
	for it.Next(&key, &val) {
		f := r.facts.of(key.Id)
		if key.Kind == netConnected || key.Kind == netFailed {
			f.answered.add(r.facts.peer(&key))
		}
		if f.nets.wait(idOf(r.facts.ids, key)) {
			open[key] = val
		}
	}
	for key, val := range open {
		if r.ripe(&key, last) && r.flow(&key, &val, last) {
			r.facts.of(key.Id).nets.done(idOf(r.facts.ids, key))
		}
	}
	return wrap(it.Err(), "reading network facts")
}

func (f *facts) peer(key *bpf.RecorderNetKey) factID {
	return idOf(f.ids, peerKey{key.Netns, key.Family, key.Protocol, key.Address, key.Rport})
}

// ripe tells whether an entry is to be written now. An attempt of which the
// result is known never is.
func (r *recording) ripe(key *bpf.RecorderNetKey, last bool) bool {
	if key.Kind != netConnect {
		return true
	}
	f, id := r.facts.of(key.Id), idOf(r.facts.ids, *key)
	if f.answered.has(r.facts.peer(key)) {
		f.nets.done(id)
		return false
	}
	return last || r.over(key.Id) || f.nets.waited(id) > settleAfter
}

// flow writes a network fact. It is false while nobody is known to own it.
func (r *recording) flow(key *bpf.RecorderNetKey, val *bpf.RecorderNetVal, last bool) bool {
	s := r.owner(key, val)
	if s == nil {
		return last
	}
	rec := r.flowRecord(key, val)
	if c, ok := rec.(*trace.Connect); ok {
		r.translate(c, s, key.Netns)
	}
	if rec != nil {
		r.fact(s, flowKey(rec), rec)
	}
	return true
}

// owner is the space a fact belongs to: the kernel's answer, else by the
// socket's cgroup, else by its network namespace.
func (r *recording) owner(key *bpf.RecorderNetKey, val *bpf.RecorderNetVal) *space {
	if key.Id != 0 {
		return r.space(key.Id)
	}
	return r.socketOwner(key.Netns, val.Cgroup)
}

func (r *recording) flowRecord(key *bpf.RecorderNetKey, val *bpf.RecorderNetVal) trace.Record {
	protocol := protocolOf(key.Protocol)
	by := r.sighting(&val.By)
	where := address(key.Family, key.Address)
	switch key.Kind {
	case netListen:
		return &trace.Listen{
			Protocol: protocol, Address: where, Port: int(key.Lport), Sighting: by,
		}
	case netAccept:
		rec := &trace.Accept{
			Protocol: protocol, Port: int(key.Lport), Remote: where,
			PeerPort: int(val.Port), Sighting: by,
		}
		if val.Local != [16]uint8{} {
			rec.Address = address(key.Family, val.Local)
		}
		return rec
	}
	return r.connect(key, val, protocol, where, by)
}

func protocolOf(number uint8) string {
	switch number {
	case protoUDP:
		return trace.UDP
	case protoSCTP:
		return trace.SCTP
	}
	return trace.TCP
}

func (r *recording) connect(key *bpf.RecorderNetKey, val *bpf.RecorderNetVal, protocol, remote string,
	by trace.Sighting) *trace.Connect {
	rec := &trace.Connect{
		Protocol: protocol, Remote: remote, Port: int(key.Rport), Local: int(val.Port),
		Result: result(key), Sighting: by,
	}
	if val.Local != [16]uint8{} {
		rec.Source = address(key.Family, val.Local)
	}
	if asked := val.Requested; val.RequestedPort != 0 &&
		(asked != key.Address || val.RequestedPort != key.Rport) {
		rec.Requested, rec.RequestedPort = address(key.Family, asked), int(val.RequestedPort)
	}
	return rec
}

func result(key *bpf.RecorderNetKey) string {
	switch {
	case key.Kind == netConnect:
		return trace.ResultPending
	case key.Kind == netConnected && key.Protocol == protoUDP:
		return trace.ResultSent
	case key.Kind == netConnected:
		return trace.ResultEstablished
	}
	return failure(syscall.Errno(key.Result))
}

// failure is the result of an attempt that ended with err.
func failure(err syscall.Errno) string {
	switch err {
	case 0: // closed by the program before an answer came
		return trace.ResultPending
	case unix.ETIMEDOUT:
		return trace.ResultTimeout
	case unix.ECONNREFUSED, unix.ECONNRESET:
		return trace.ResultRefused
	case unix.EHOSTUNREACH, unix.ENETUNREACH, unix.EHOSTDOWN, unix.ENETDOWN, unix.EACCES, unix.EPERM:
		return trace.ResultUnreachable
	}
	return trace.ResultFailed
}

// flowKey is what makes a network record one fact.
func flowKey(rec trace.Record) any {
	switch rec := rec.(type) {
	case *trace.Listen:
		return trace.Listen{Protocol: rec.Protocol, Address: rec.Address, Port: rec.Port}
	case *trace.Accept:
		return trace.Accept{Protocol: rec.Protocol, Port: rec.Port, Remote: rec.Remote}
	case *trace.Connect:
		return trace.Connect{
			Protocol: rec.Protocol, Remote: rec.Remote, Port: rec.Port, Result: rec.Result,
			Requested: rec.Requested, RequestedPort: rec.RequestedPort,
			Translated: rec.Translated, TranslatedPort: rec.TranslatedPort,
		}
	}
	return nil
}
