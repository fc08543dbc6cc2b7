package monitor

import (
	"bytes"
	"syscall"
	"testing"

	"advisor/bpf"
	"advisor/trace"
)

// TestPeerOfOneProtocol: a datagram that was sent says nothing of a connection to
// the same port that still waits for an answer.
func TestPeerOfOneProtocol(t *testing.T) {
	tcp := bpf.RecorderNetKey{Id: 1, Netns: 2, Kind: netConnect, Family: familyInet, Protocol: protoTCP, Rport: 53}
	answered, datagram := tcp, tcp
	answered.Kind = netConnected
	datagram.Kind, datagram.Protocol = netConnected, protoUDP
	r := &recording{facts: newFacts()}
	in, id := r.facts.of(1), idOf(r.facts.ids, tcp)
	in.answered.add(r.facts.peer(&datagram))
	if !r.ripe(&tcp, true) || !in.nets.wait(id) {
		t.Error("the connection is left out for a datagram's sake")
	}
	in.answered.add(r.facts.peer(&answered))
	if r.ripe(&tcp, true) || in.nets.wait(id) {
		t.Error("the attempt is written beside its result")
	}
}

// TestFailureIsOfTheFormat: whatever errno a connection ends with, the trace
// takes its record.
func TestFailureIsOfTheFormat(t *testing.T) {
	for err := range syscall.Errno(256) {
		rec := &trace.Connect{
			Container: "c", Protocol: trace.TCP, Remote: "192.0.2.1", Port: 80, Result: failure(err),
		}
		var out bytes.Buffer
		w := trace.NewWriter(&out)
		head := &trace.Header{Schema: trace.Schema}
		if werr := w.Write(head); werr != nil {
			t.Fatal(werr)
		}
		if werr := w.Write(rec); werr != nil {
			t.Errorf("errno %d: %v", err, werr)
		}
	}
	if got := failure(syscall.EHOSTUNREACH); got != trace.ResultUnreachable {
		t.Errorf("EHOSTUNREACH is %s", got)
	}
}
