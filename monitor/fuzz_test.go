package monitor

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Names of cgroups and files come from containers, which may call them anything.
func FuzzJoinNames(f *testing.F) {
	f.Add([]byte("nginx\x00sbin\x00usr\x00\x00"))
	f.Add([]byte(""))
	f.Add([]byte("..\x00..\x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := joinNames(raw)
		if !path.IsAbs(got) || got != path.Clean(got) || strings.Contains(got, "\x00") {
			t.Errorf("%q of %q is no clean absolute path", got, raw)
		}
	})
}

func FuzzParseSocket(f *testing.F) {
	f.Add(make([]byte, 72))
	f.Add(append(make([]byte, 72), 12, 0, 21, 0, 1, 2, 3, 4, 5, 6, 7, 8))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, ok := parseSocket(raw, unix.IPPROTO_TCP)
		if ok != (len(raw) >= 72) || ok && !d.local.IsValid() {
			t.Errorf("%x gives %+v, %t", raw, d, ok)
		}
		_ = d.record(true)
		_ = d.record(false)
	})
}

func FuzzNearest(f *testing.F) {
	f.Add([]byte("ffffffff81000000 T _stext\nffffffff81000100 t a.b\t[m]\n"), uint64(0xffffffff81000001))
	f.Fuzz(func(t *testing.T, raw []byte, ip uint64) {
		names := nearest(bytes.NewReader(raw), []uint64{ip})
		if len(names) != 1 || names[0] != "" && !bytes.Contains(raw, []byte(names[0])) {
			t.Errorf("%q names %x as %v", raw, ip, slices.Clone(names))
		}
	})
}

func TestJoinNames(t *testing.T) {
	tests := []struct{ raw, want string }{
		{"nginx\x00sbin\x00usr\x00\x00", "/usr/sbin/nginx"},
		{"one\x00\x00left over\x00\x00", "/one"},
		{"\x00eft over\x00\x00", "/"}, // the root, over a longer path
		{"", "/"},
	}
	for _, tt := range tests {
		if got := joinNames([]byte(tt.raw)); got != tt.want {
			t.Errorf("%q is %s, want %s", tt.raw, got, tt.want)
		}
	}
}
