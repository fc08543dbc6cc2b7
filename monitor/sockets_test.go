package monitor

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"advisor/fixtures/bed"
	"advisor/trace"
)

// TestUnlisted: sockets that the kernel did not list are one loss, and one in the sum.
func TestUnlisted(t *testing.T) {
	out, err := create(Options{Output: filepath.Join(t.TempDir(), "trace.log")})
	if err != nil {
		t.Fatal(err)
	}
	defer out.close()
	r := &recording{out: out, lossesSaid: make(map[trace.Loss]uint64)}
	r.write(&trace.Header{Schema: trace.Schema})
	r.unlisted(4026531840, errors.New("protocol not supported"))
	var said uint64
	for _, n := range r.lossesSaid {
		said += n
	}
	if r.lost != 1 || said != 1 {
		t.Errorf("%d lost, and the lines say %d", r.lost, said)
	}
}

// TestSocketsOfAnother: a process that has the number of one that is gone is not
// asked for its sockets.
func TestSocketsOfAnother(t *testing.T) {
	bed.Require(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/ns/net", &st); err != nil {
		t.Fatal(err)
	}
	mine, err := diagnose(os.Getpid(), uint32(st.Ino))
	if err != nil || len(mine) == 0 {
		t.Fatalf("%d sockets, %v: this test shows nothing", len(mine), err)
	}
	if others, err := diagnose(os.Getpid(), uint32(st.Ino)+1); err != nil || len(others) > 0 {
		t.Errorf("%d sockets of another network, %v", len(others), err)
	}
}
