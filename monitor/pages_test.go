package monitor

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"advisor/fixtures/bed"
)

func TestUnchanged(t *testing.T) {
	const smaps = `00400000-00402000 r--p 00000000 fe:00 77                  /usr/bin/advisor
Size:                  8 kB
Rss:                   8 kB
Anonymous:             0 kB
VmFlags: rd mr mw me
00402000-0131b000 r-xp 00002000 fe:00 77                  /usr/bin/advisor
Rss:               11256 kB
Anonymous:             0 kB
02331000-02332000 r--p 01f31000 fe:00 77                  /usr/bin/advisor
Rss:                   4 kB
Anonymous:             4 kB
02332000-02466000 rw-p 01f32000 fe:00 77                  /usr/bin/advisor
Anonymous:             0 kB
02466000-044b3000 r--p 00000000 00:00 0
Anonymous:             0 kB
7fb300000000-7fb300021000 r--s 00000000 00:0e 12          anon_inode:bpf-map
Anonymous:             0 kB
7fb310000000-7fb310021000 r--p 00000000 00:00 0           [vvar]
Anonymous:             0 kB
7fb320000000-7fb320001000 r-xp 00000000 fe:00 78          /tmp/Anonymous: 0 kB
Rss:                   4 kB
Anonymous:             4 kB
`
	want := []pages{{0x400000, 0x402000}, {0x402000, 0x131b000}}
	if diff := cmp.Diff(want, unchanged([]byte(smaps)), cmp.AllowUnexported(pages{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzUnchanged(f *testing.F) {
	f.Add([]byte("1000-2000 r-xp 0 fe:00 7 /a\nAnonymous: 0 kB\n"))
	f.Add([]byte("2000-1000 r-xp 0 fe:00 7 /a\nAnonymous: 0 kB\n"))
	f.Fuzz(func(t *testing.T, smaps []byte) {
		for _, p := range unchanged(smaps) {
			if p.start >= p.end {
				t.Errorf("%q has pages from %x to %x", smaps, p.start, p.end)
			}
		}
	})
}

// TestMapSingly maps a file as programs are, and counts the pages that touching
// one of them brings in.
func TestMapSingly(t *testing.T) {
	const touched = 700
	file, at := mapped(t, 1024*os.Getpagesize()), touched*os.Getpagesize()
	want := byte(touched % 256)
	if file[at] != want {
		t.Fatalf("the page holds %d", file[at])
	}
	before := present(t, file)
	if before == 0 {
		t.Fatal("touching a page maps none")
	}
	s, err := mapSingly()
	if err != nil {
		refused(t, err, before-present(t, file))
		return
	}
	if n := present(t, file); n != 0 {
		t.Errorf("%d pages are mapped after all were given back", n)
	}
	if file[at] != want {
		t.Errorf("the page holds %d", file[at])
	}
	if n := present(t, file); n != 1 {
		t.Errorf("touching one page maps %d, before it was %d", n, before)
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
	if _, err := os.ReadFile(fmt.Sprintf("/proc/self/fd/%d", s.fd)); err == nil {
		t.Error("it is still open")
	}
}

// refused holds that nothing has changed, and that the kernel is one that may
// refuse: older than 6.7.
func refused(t *testing.T, err error, gone int) {
	t.Helper()
	if gone != 0 {
		t.Errorf("%d pages are gone: %v", gone, err)
	}
	var major, minor int
	_, _ = fmt.Sscanf(uname().release, "%d.%d", &major, &minor)
	if known := major > 6 || major == 6 && minor >= 7; known && runtime.GOARCH == "amd64" {
		bed.Skip(t, "this kernel refuses to map pages one at a time: %v", err)
	}
}

// mapped is a file of that size in memory, each page filled with its number.
func mapped(t *testing.T, size int) []byte {
	t.Helper()
	var raw []byte
	for n := range size / os.Getpagesize() {
		raw = append(raw, bytes.Repeat([]byte{byte(n)}, os.Getpagesize())...)
	}
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(data) })
	return data
}

// present counts the pages of data that are mapped: bit 63 of their entries in
// pagemap, as proc_pid_pagemap(5) says.
func present(t *testing.T, data []byte) int {
	t.Helper()
	f, err := os.Open("/proc/self/pagemap")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	page := uintptr(os.Getpagesize())
	raw := make([]byte, 8*uintptr(len(data))/page)
	if _, err := f.ReadAt(raw, int64(uintptr(unsafe.Pointer(unsafe.SliceData(data)))/page*8)); err != nil {
		t.Fatal(err)
	}
	n := 0
	for i := 7; i < len(raw); i += 8 {
		n += int(raw[i] >> 7)
	}
	return n
}
