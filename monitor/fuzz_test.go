package monitor

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"advisor/bpf"
	"advisor/trace"
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

// FuzzLastTexts holds that whatever a program points to becomes printable text.
func FuzzLastTexts(f *testing.F) {
	f.Add([]byte("/etc/passwd\x00"), uint32(257), uint8(lastFirst), uint8(0))
	f.Add([]byte("\x01\x00/run/x\x00"), uint32(42), uint8(lastSocket), uint8(110))
	f.Add([]byte("a\xc3\xa9\n\x00"), uint32(82), uint8(lastFirst|lastSecond), uint8(0))
	f.Fuzz(func(t *testing.T, raw []byte, nr uint32, flags, length uint8) {
		e := bpf.RecorderLast{Nr: nr, Flags: flags, Length: length}
		copy(text(e.Text[:]), raw)
		for _, text := range lastTexts(&e) {
			if i := strings.IndexFunc(text.Value, func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 {
				t.Errorf("%q at %d", text.Value, i)
			}
		}
	})
}

func FuzzMountPoint(f *testing.F) {
	f.Add([]byte("36 35 98:0 / /mnt\\040x rw - ext3 /dev/root rw\n"), uint64(36))
	f.Fuzz(func(t *testing.T, raw []byte, id uint64) {
		place, err := mountPoint(bytes.NewReader(raw), id)
		if err == nil && (place.FS == "" || !bytes.Contains(raw, []byte(place.FS))) {
			t.Errorf("%q gives %+v", raw, place)
		}
	})
}

func TestMountPoint(t *testing.T) {
	const mounts = "36 35 98:0 / / rw,noatime master:1 - overlay overlay rw\n" +
		"40 36 0:5 /sub /mnt\\040x\\134y rw shared:2 - ext4 /dev/sda rw\nshort - x\n"
	for id, want := range map[uint64]trace.Place{36: {Mount: "/", FS: "overlay"}, 40: {Mount: `/mnt x\y`, FS: "ext4"}} {
		if got, err := mountPoint(strings.NewReader(mounts), id); err != nil || got != want {
			t.Errorf("mount %d is %+v, %v, want %+v", id, got, err, want)
		}
	}
	if _, err := mountPoint(strings.NewReader(mounts), 1); err == nil {
		t.Error("no error for a mount that is not there")
	}
}
